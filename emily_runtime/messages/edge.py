"""Configuration (1xxx), HTTP (2xxx) and the life of the process (3xxx)."""

from emily_runtime.messages.message import Catalogue, Message

EDGE: Catalogue = {
    "EMY-1001": {
        "en": Message("{file} cannot be read: {reason}", "look at it with: ls -l {file}"),
        "ko": Message("{file}을(를) 읽을 수 없습니다: {reason}", "확인: ls -l {file}"),
    },
    "EMY-1002": {
        "en": Message("{file} is not TOML: {reason}", "mend the line and check again"),
        "ko": Message("{file}은(는) TOML이 아닙니다: {reason}", "그 줄을 고치고 다시 확인하세요"),
    },
    "EMY-1003": {
        "en": Message("{file}: there is no setting {key}",
                      "the nearest is {nearest}; known here: {known}"),
        "ko": Message("{file}: {key}라는 설정은 없습니다",
                      "가장 비슷한 설정: {nearest}; 가능한 설정: {known}"),
    },
    "EMY-1004": {
        "en": Message("{file}: {key} must be {wanted}, not {got}", "change it in {file}"),
        "ko": Message("{file}: {key}은(는) {wanted}이어야 합니다. 지금 값: {got}",
                      "{file}에서 고치세요"),
    },
    "EMY-1005": {
        "en": Message("credential {name}: {reason}",
                      "systemd hands it over: LoadCredential={name}:FILE"),
        "ko": Message("자격 증명 {name}: {reason}",
                      "systemd가 넘겨줍니다: LoadCredential={name}:FILE"),
    },
    "EMY-1006": {
        "en": Message("cannot listen on {address}: {reason}", "see who does: ss -ltnp"),
        "ko": Message("{address}에서 기다릴 수 없습니다: {reason}", "누가 쓰는지 확인: ss -ltnp"),
    },
    "EMY-1007": {
        "en": Message("{file} cannot work: {reason}", "change it in {file}, then: check"),
        "ko": Message("{file}의 설정으로는 작동할 수 없습니다: {reason}",
                      "{file}에서 고친 뒤 다시 확인하세요"),
    },
    "EMY-1008": {
        "en": Message("the socket {name} of systemd cannot be used: {reason}",
                      "look at its unit: systemctl cat 'emily-runtime*.socket'"),
        "ko": Message("systemd가 준 소켓 {name}을(를) 쓸 수 없습니다: {reason}",
                      "유닛 확인: systemctl cat 'emily-runtime*.socket'"),
    },
    "EMY-3001": {
        "en": Message("ready on {address}", "curl http://{address}/health"),
        "ko": Message("{address}에서 준비됨", "curl http://{address}/health"),
    },
    "EMY-3002": {
        "en": Message("stopping, {open} connections open", "wait"),
        "ko": Message("멈추는 중, 열린 연결 {open}개", "기다리세요"),
    },
    "EMY-3003": {
        "en": Message("gives no sign of life: {reason}", "systemctl try-restart 'emily-runtime@*'"),
        "ko": Message("정상 동작 신호를 보내지 않습니다: {reason}",
                      "systemctl try-restart 'emily-runtime@*'"),
    },
    "EMY-3004": {
        "en": Message("{colour} waits; it can take over at once",
                      "emily-infra runtime status HOST"),
        "ko": Message("{colour} 대기 중. 바로 넘겨받을 수 있습니다",
                      "emily-infra runtime status HOST"),
    },
    "EMY-3005": {
        "en": Message("{file} cannot be written: {reason}", "see to its folder: ls -ld {file}"),
        "ko": Message("{file}을(를) 쓸 수 없습니다: {reason}", "폴더 확인: ls -ld {file}"),
    },
    "EMY-3007": {
        "en": Message("the configuration was read again; waiting for a restart: {names}",
                      "systemctl try-restart 'emily-runtime@*'"),
        "ko": Message("설정을 다시 읽었습니다. 재시작을 기다리는 것: {names}",
                      "systemctl try-restart 'emily-runtime@*'"),
    },
    "EMY-3006": {
        "en": Message("the new configuration is refused and the old one stays: {reason}",
                      "mend it and reload again"),
        "ko": Message("새 설정을 받아들이지 않고 이전 설정을 유지합니다: {reason}",
                      "고친 뒤 다시 불러오세요"),
    },
}  # fmt: skip
