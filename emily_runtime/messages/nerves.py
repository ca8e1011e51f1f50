"""Bus, topology, supervision, pressure and replay (7xxx)."""

from emily_runtime.messages.message import Catalogue, Message

NERVES: Catalogue = {
    "EMY-7001": {
        "en": Message("two components are named {name}", "give one of them another name"),
        "ko": Message("이름이 {name}인 구성 요소가 둘입니다", "하나의 이름을 바꾸세요"),
    },
    "EMY-7002": {
        "en": Message("{name} failed ({reason}) and starts again in {pause} s",
                      "nothing to do; if it stays: journalctl -u 'emily-runtime*' -e"),
        "ko": Message("{name} 실패 ({reason}), {pause}초 뒤 다시 시작합니다",
                      "할 일 없음. 계속되면: journalctl -u 'emily-runtime*' -e"),
    },
    "EMY-7003": {
        "en": Message("{name} failed {failures} times in a row ({reason}) and stays off",
                      "the rest goes on; start it: systemctl try-restart 'emily-runtime@*'"),
        "ko": Message("{name} 연속 {failures}번 실패 ({reason}), 꺼 둡니다",
                      "나머지는 계속됩니다. 다시 켜기: systemctl try-restart 'emily-runtime@*'"),
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
                      "look for OOM or a crash: journalctl -b -u 'emily-runtime*' -e"),
        "ko": Message("{name}이(가) 작업 프로세스 {attempts}개를 끝내 다시 하지 않습니다",
                      "OOM이나 충돌 확인: journalctl -b -u 'emily-runtime*' -e"),
    },
    "EMY-7008": {
        "en": Message("no worker process can be started: {reason}",
                      "its own words: journalctl -u 'emily-runtime*' -e"),
        "ko": Message("작업 프로세스를 시작할 수 없습니다: {reason}",
                      "자세한 내용: journalctl -u 'emily-runtime*' -e"),
    },
    "EMY-7009": {
        "en": Message("memory is short ({stalled} % stalled), level 1 of 4: caches are dropped",
                      "ends by itself below {leaves} % for {hold} s; who grows: systemd-cgtop -m"),
        "ko": Message("메모리 부족(정체 {stalled} %), 4단계 중 1단계: 캐시를 비웁니다",
                      "{leaves} % 미만 {hold}초면 스스로 끝남. 확인: systemd-cgtop -m"),
    },
    "EMY-7010": {
        "en": Message("memory is short ({stalled} % stalled), level 2 of 4: cold memory shrinks",
                      "ends by itself below {leaves} % for {hold} s; who grows: systemd-cgtop -m"),
        "ko": Message("메모리 부족(정체 {stalled} %), 4단계 중 2단계: 오래된 기억을 압축합니다",
                      "{leaves} % 미만 {hold}초면 스스로 끝남. 확인: systemd-cgtop -m"),
    },
    "EMY-7011": {
        "en": Message("memory is short ({stalled} % stalled), level 3 of 4: new work gets a 503",
                      "ends by itself below {leaves} % for {hold} s; who grows: systemd-cgtop -m"),
        "ko": Message("메모리 부족(정체 {stalled} %), 4단계 중 3단계: 새 작업을 거절합니다(503)",
                      "{leaves} % 미만 {hold}초면 스스로 끝남. 확인: systemd-cgtop -m"),
    },
    "EMY-7012": {
        "en": Message("memory is short ({stalled} % stalled), level 4 of 4: reflexes only",
                      "ends by itself below {leaves} % for {hold} s; who grows: systemd-cgtop -m"),
        "ko": Message("메모리 부족(정체 {stalled} %), 4단계 중 4단계: 반사만 동작합니다",
                      "{leaves} % 미만 {hold}초면 스스로 끝남. 확인: systemd-cgtop -m"),
    },
    "EMY-7013": {
        "en": Message("memory has eased ({stalled} % of time stalled), back on level {level}",
                      "nothing to do"),
        "ko": Message("메모리 여유 회복(정체 {stalled} %), {level}단계로 돌아옴", "할 일 없음"),
    },
    "EMY-7014": {
        "en": Message("saving memory on level {level} did not work: {reason}",
                      "the other levels go on; see: journalctl -u 'emily-runtime*' -e"),
        "ko": Message("{level}단계의 메모리 절약 실패: {reason}",
                      "다른 단계는 계속됩니다. 확인: journalctl -u 'emily-runtime*' -e"),
    },
    "EMY-7015": {
        "en": Message("memory pressure cannot be watched at {file}: {reason}",
                      "the service goes on without; look at it with: ls -l {file}"),
        "ko": Message("{file}에서 메모리 압박을 지켜볼 수 없습니다: {reason}",
                      "서비스는 없이 계속됩니다. 확인: ls -l {file}"),
    },
}  # fmt: skip
