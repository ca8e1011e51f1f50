"""Bus, topology, supervision, pressure and replay (7xxx)."""

from emily_runtime.messages.message import Catalogue, Message

NERVES: Catalogue = {
    "EMY-7001": {
        "en": Message("two components are named {name}", "give one of them another name"),
        "ko": Message("이름이 {name}인 구성 요소가 둘입니다", "하나의 이름을 바꾸세요"),
    },
    "EMY-7002": {
        "en": Message("{name} failed ({reason}) and starts again in {pause} s",
                      "nothing to do; if it stays: journalctl -u emily-runtime"),
        "ko": Message("{name} 실패 ({reason}), {pause}초 뒤 다시 시작합니다",
                      "할 일 없음. 계속되면: journalctl -u emily-runtime"),
    },
    "EMY-7003": {
        "en": Message("{name} failed {failures} times in a row ({reason}) and stays off",
                      "the rest goes on; start it: systemctl restart emily-runtime"),
        "ko": Message("{name} 연속 {failures}번 실패 ({reason}), 꺼 둡니다",
                      "나머지는 계속됩니다. 다시 켜기: systemctl restart emily-runtime"),
    },
    "EMY-7004": {
        "en": Message("{file} is not a recording of a run: {reason}",
                      "look at it with: ls -l {file}"),
        "ko": Message("{file}은(는) 실행 기록이 아닙니다: {reason}", "확인: ls -l {file}"),
    },
    "EMY-7005": {
        "en": Message("cannot record to {file}: {reason}", "name a file that is not there yet"),
        "ko": Message("{file}에 기록할 수 없습니다: {reason}", "없는 파일 이름을 쓰세요"),
    },
    "EMY-7006": {
        "en": Message("the recording {file} ends: {reason}",
                      "what it holds can be replayed; the service goes on"),
        "ko": Message("기록 {file}이(가) 끝납니다: {reason}",
                      "지금까지의 기록은 재생됩니다. 서비스는 계속됩니다"),
    },
    "EMY-7007": {
        "en": Message("{name} ended {attempts} worker processes and is not tried again",
                      "look for OOM or a crash: journalctl -k -u emily-runtime"),
        "ko": Message("{name}이(가) 작업 프로세스 {attempts}개를 끝내 다시 하지 않습니다",
                      "OOM이나 충돌 확인: journalctl -k -u emily-runtime"),
    },
    "EMY-7008": {
        "en": Message("no worker process can be started: {reason}",
                      "its own words: journalctl -u emily-runtime"),
        "ko": Message("작업 프로세스를 시작할 수 없습니다: {reason}",
                      "자세한 내용: journalctl -u emily-runtime"),
    },
}  # fmt: skip
