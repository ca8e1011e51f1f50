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
    "EMY-2001": {
        "en": Message("this is not a request: {reason}", "speak HTTP/1.1"),
        "ko": Message("올바른 요청이 아닙니다: {reason}", "HTTP/1.1로 요청하세요"),
    },
    "EMY-2002": {
        "en": Message("the request is larger than {limit} bytes", "send less"),
        "ko": Message("요청이 {limit}바이트보다 큽니다", "더 작게 보내세요"),
    },
    "EMY-2003": {
        "en": Message("the request did not arrive within {seconds} s", "send it in one go"),
        "ko": Message("요청이 {seconds}초 안에 도착하지 않았습니다", "한 번에 보내세요"),
    },
    "EMY-2004": {
        "en": Message("the bearer token is missing or wrong", "send Authorization: Bearer TOKEN"),
        "ko": Message("토큰이 없거나 틀립니다", "Authorization: Bearer TOKEN을 보내세요"),
    },
    "EMY-2005": {
        "en": Message("there is nothing at {path}", "today there are /health and /ready"),
        "ko": Message("{path}에는 아무것도 없습니다", "지금은 /health와 /ready가 있습니다"),
    },
    "EMY-2006": {
        "en": Message("{path} takes {allowed} only", "use {allowed}"),
        "ko": Message("{path}은(는) {allowed}만 받습니다", "{allowed}을(를) 쓰세요"),
    },
    "EMY-2007": {
        "en": Message("{limit} connections are open", "come back in a second"),
        "ko": Message("연결이 이미 {limit}개입니다", "1초 뒤에 다시 오세요"),
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
        "en": Message("does not answer itself: {reason}", "systemctl restart emily-runtime"),
        "ko": Message("스스로에게 응답하지 않습니다: {reason}", "systemctl restart emily-runtime"),
    },
}  # fmt: skip
