"""The mind: load (30xx) and replay (709x)."""

from emily_runtime.messages.message import Catalogue, Message

MIND: Catalogue = {
    "EMY-3020": {
        "en": Message("too much is going on to take this in, too ({share} of new work is put off)",
                      "try again in {seconds} s"),
        "ko": Message("지금은 일이 너무 많아 받을 수 없습니다 (새 작업의 {share} 연기 중)",
                      "{seconds}초 뒤에 다시 시도하세요"),
    },
    "EMY-3021": {
        "en": Message("the tick of {seconds} s ago was the last one",
                      "look at it with: journalctl -u 'emily-runtime*' -e"),
        "ko": Message("마지막 틱이 {seconds}초 전입니다",
                      "확인: journalctl -u 'emily-runtime*' -e"),
    },
    "EMY-3022": {
        "en": Message("given up after failing again and again: {names}",
                      "look at it with: journalctl -u 'emily-runtime*' -e"),
        "ko": Message("거듭 실패해서 포기했습니다: {names}",
                      "확인: journalctl -u 'emily-runtime*' -e"),
    },
    "EMY-7090": {
        "en": Message("the recording does not begin at the start of a run",
                      "record from the start: emily-runtime serve --record FILE"),
        "ko": Message("기록이 실행의 시작부터 있지 않습니다",
                      "처음부터 기록하세요: emily-runtime serve --record FILE"),
    },
    "EMY-7091": {
        "en": Message("record {place} cannot be understood: {reason}",
                      "replay with the version that recorded it"),
        "ko": Message("{place}번째 기록을 이해할 수 없습니다: {reason}",
                      "기록한 버전으로 재생하세요"),
    },
    "EMY-7092": {
        "en": Message("record {place} ({topic}) led to another state than when it was recorded",
                      "replay with the version of emily-runtime and NumPy that recorded it"),
        "ko": Message("{place}번째 기록({topic})의 결과가 기록 당시와 다릅니다",
                      "기록할 때의 emily-runtime과 NumPy 버전으로 재생하세요"),
    },
    "EMY-7093": {
        "en": Message("the recording lacks {lost} messages: its writer fell behind",
                      "record again; what comes after the gap cannot be computed"),
        "ko": Message("기록에 메시지 {lost}개가 빠져 있습니다: 기록이 뒤처졌습니다",
                      "다시 기록하세요. 빠진 곳 뒤는 계산할 수 없습니다"),
    },
}  # fmt: skip
