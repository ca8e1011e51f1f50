"""What a caller over HTTP is told."""

from emily_runtime.messages.message import Catalogue, Message

HTTP: Catalogue = {
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
        "en": Message("there is nothing at {path}", "see what there is: /openapi.json"),
        "ko": Message("{path}에는 아무것도 없습니다", "있는 것은 /openapi.json에서 보세요"),
    },
    "EMY-2006": {
        "en": Message("{path} takes {allowed} only", "use {allowed}"),
        "ko": Message("{path}은(는) {allowed}만 받습니다", "{allowed}을(를) 쓰세요"),
    },
    "EMY-2007": {
        "en": Message("{limit} connections are open", "come back in a second"),
        "ko": Message("연결이 이미 {limit}개입니다", "1초 뒤에 다시 오세요"),
    },
    "EMY-2008": {
        "en": Message("the body does not fit: {reason}", "see its schema: /openapi.json"),
        "ko": Message("본문이 맞지 않습니다: {reason}", "형식은 /openapi.json에서 보세요"),
    },
    "EMY-2009": {
        "en": Message("the body is not JSON: {reason}", "send JSON in UTF-8"),
        "ko": Message("본문이 JSON이 아닙니다: {reason}", "UTF-8로 된 JSON을 보내세요"),
    },
    "EMY-2010": {
        "en": Message("more than {rate} requests a second came with this token",
                      "come slower, or raise service.rate"),
        "ko": Message("이 토큰으로 1초에 {rate}개가 넘는 요청이 왔습니다",
                      "천천히 보내거나 service.rate를 올리세요"),
    },
    "EMY-2011": {
        "en": Message("too many wrong tokens came from this address",
                      "wait, then send the right one"),
        "ko": Message("이 주소에서 틀린 토큰이 너무 많이 왔습니다",
                      "기다렸다가 올바른 것을 보내세요"),
    },
    "EMY-2012": {
        "en": Message("the service is {phase}", "come back in a second"),
        "ko": Message("서비스 상태: {phase}", "1초 뒤에 다시 오세요"),
    },
    "EMY-2013": {
        "en": Message("{limit} requests are being worked on", "come back in a second"),
        "ko": Message("이미 요청 {limit}개를 처리하고 있습니다", "1초 뒤에 다시 오세요"),
    },
    "EMY-2014": {
        "en": Message("the service is {lag} s behind with its work", "come back in a second"),
        "ko": Message("서비스가 {lag}초 밀려 있습니다", "1초 뒤에 다시 오세요"),
    },
    "EMY-2015": {
        "en": Message("memory is short (step {step} of 4): no new work is begun",
                      "come back in 5 seconds; health and status still answer"),
        "ko": Message("메모리가 부족합니다 (4단계 중 {step}단계). 새 작업을 받지 않습니다",
                      "5초 뒤에 다시 오세요. 상태 확인은 됩니다"),
    },
    "EMY-2016": {
        "en": Message("no answer was found within {seconds} s", "ask for less, or later"),
        "ko": Message("{seconds}초 안에 답을 찾지 못했습니다", "더 적게, 또는 나중에 요청하세요"),
    },
    "EMY-2017": {
        "en": Message("this cannot be computed: {reason}", "change the request"),
        "ko": Message("계산할 수 없습니다: {reason}", "요청을 바꾸세요"),
    },
    "EMY-2018": {
        "en": Message("something broke inside; its number is {trace}",
                      "see what: journalctl -u 'emily-runtime*' -g {trace}"),
        "ko": Message("안에서 문제가 생겼습니다. 번호: {trace}",
                      "확인: journalctl -u 'emily-runtime*' -g {trace}"),
    },
    "EMY-2019": {
        "en": Message("this is no message for /ws: {reason}",
                      'send {{"op":"subscribe","topics":["workspace"]}}'),
        "ko": Message("/ws에 맞는 메시지가 아닙니다: {reason}",
                      '보낼 것: {{"op":"subscribe","topics":["workspace"]}}'),
    },
    "EMY-2020": {
        "en": Message("/ws speaks WebSocket", "connect with ws://, not with http://"),
        "ko": Message("/ws는 WebSocket입니다", "http://가 아니라 ws://로 연결하세요"),
    },
    "EMY-2022": {
        "en": Message("the number to go on from is one of instance {instance}; this is {ours}",
                      "forget what was counted, and go on from here"),
        "ko": Message("이어 갈 번호가 인스턴스 {instance}의 것입니다. 지금은 {ours}입니다",
                      "지금까지 센 것을 버리고 여기서부터 이어 가세요"),
    },
    "EMY-2021": {
        "en": Message("{limit} are listening already", "close a page that nobody looks at"),
        "ko": Message("이미 {limit}명이 듣고 있습니다", "아무도 보지 않는 페이지를 닫으세요"),
    },
}  # fmt: skip
