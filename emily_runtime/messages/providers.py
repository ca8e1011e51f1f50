"""Language model providers and the budget (5xxx)."""

from emily_runtime.messages.message import Catalogue, Message

PROVIDERS: Catalogue = {
    "EMY-5001": {
        "en": Message("{name} keeps failing and is left alone; it is tried again in {seconds} s",
                      "look at what failed: journalctl -u 'emily-runtime*' -g {name}"),
        "ko": Message("{name}이(가) 계속 실패해 잠시 쉬게 합니다. {seconds}초 뒤에 다시 시도합니다",
                      "무엇이 실패했는지 확인: journalctl -u 'emily-runtime*' -g {name}"),
    },
    "EMY-5010": {
        "en": Message("the budget of {most} per {window} does not cover a call of up to {amount}:"
                      " {spent} is spent, {reserved} is set aside",
                      "wait, or raise it: [llm.budget] {window} = DOLLARS"),
        "ko": Message("{window} 예산 {most}(으)로는 최대 {amount}인 호출을 할 수 없습니다:"
                      " 사용 {spent}, 예약 {reserved}",
                      "기다리거나 늘리세요: [llm.budget] {window} = 달러"),
    },
    "EMY-5011": {
        "en": Message("the budget in {file} cannot be used, so nothing is spent: {reason}",
                      "look at the file and its disk: ls -l {file}; df {file}"),
        "ko": Message("{file}의 예산을 쓸 수 없어 아무것도 지출하지 않습니다: {reason}",
                      "파일과 디스크 확인: ls -l {file}; df {file}"),
    },
}  # fmt: skip
