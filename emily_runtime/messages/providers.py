"""Language model providers and the budget (5xxx)."""

from emily_runtime.messages.message import Catalogue, Message

PROVIDERS: Catalogue = {
    "EMY-5001": {
        "en": Message("{name} keeps failing and is left alone; it is tried again in {seconds} s",
                      "look at what failed: journalctl -u 'emily-runtime*' -g {name}"),
        "ko": Message("{name}이(가) 계속 실패해 잠시 쉬게 합니다. {seconds}초 뒤에 다시 시도합니다",
                      "무엇이 실패했는지 확인: journalctl -u 'emily-runtime*' -g {name}"),
    },
    "EMY-5002": {
        "en": Message("{name} is too busy to answer: {reason}", "it is tried again; nothing to do"),
        "ko": Message("{name}이(가) 바빠서 답하지 못합니다: {reason}",
                      "다시 시도하니 할 일이 없습니다"),
    },
    "EMY-5003": {
        "en": Message("{name} cannot be reached: {reason}",
                      "check its address under [llm], and the network"),
        "ko": Message("{name}에 연결할 수 없습니다: {reason}",
                      "[llm]의 주소와 네트워크를 확인하세요"),
    },
    "EMY-5004": {
        "en": Message("{name} did not answer in time: {reason}",
                      "if that stays so, give it longer: [llm] seconds"),
        "ko": Message("{name}이(가) 제때 답하지 않았습니다: {reason}",
                      "계속 그러면 시간을 늘리세요: [llm] seconds"),
    },
    "EMY-5005": {
        "en": Message("{name} answered something else than its protocol says: {reason}",
                      "check that its address under [llm] is that of the API"),
        "ko": Message("{name}의 응답이 프로토콜과 다릅니다: {reason}",
                      "[llm]의 주소가 API 주소인지 확인하세요"),
    },
    "EMY-5006": {
        "en": Message("{name} does not let us in: {reason}",
                      "put a valid key into its credential, under [providers]"),
        "ko": Message("{name}이(가) 접근을 거부합니다: {reason}",
                      "[providers]의 자격 증명에 올바른 키를 넣으세요"),
    },
    "EMY-5007": {
        "en": Message("{name} does not take this prompt: {reason}",
                      "check the model's name under [llm], or ask for less"),
        "ko": Message("{name}이(가) 이 요청을 받지 않습니다: {reason}",
                      "[llm]의 모델 이름을 확인하거나 요청을 줄이세요"),
    },
    "EMY-5008": {
        "en": Message("{name} broke off in the middle of its answer: {reason}", "ask again"),
        "ko": Message("{name}의 응답이 중간에 끊겼습니다: {reason}", "다시 물어보세요"),
    },
    "EMY-5009": {
        "en": Message("{name} was not asked: {reason}",
                      "if that stays so, give all of them longer: [llm] seconds"),
        "ko": Message("{name}에 묻지 못했습니다: {reason}",
                      "계속 그러면 전체 시간을 늘리세요: [llm] seconds"),
    },
    "EMY-5010": {
        "en": Message("{amount} more is over {most} per {window}:"
                      " {spent} is spent, {reserved} is set aside",
                      "wait, or raise hourly_dollars or daily_dollars under [llm]"),
        "ko": Message("{window} 예산 {most}에서 {amount} 불가: 사용 {spent}, 예약 {reserved}",
                      "기다리거나 [llm]의 hourly_dollars나 daily_dollars를 늘리세요"),
    },
    "EMY-5011": {
        "en": Message("the budget in {file} cannot be used, so nothing is spent: {reason}",
                      "look at the file and its disk: ls -l {file}; df {file}"),
        "ko": Message("{file}의 예산을 쓸 수 없어 아무것도 지출하지 않습니다: {reason}",
                      "파일과 디스크 확인: ls -l {file}; df {file}"),
    },
    "EMY-5012": {
        "en": Message("what {model} costs is not known, so it cannot be kept within a budget",
                      "in dollars a million tokens: [llm.prices] \"{model}\" = [3.0, 15.0]"),
        "ko": Message("{model}의 가격을 몰라 예산 안에서 쓸 수 없습니다",
                      "백만 토큰당 달러로 쓰세요: [llm.prices] \"{model}\" = [3.0, 15.0]"),
    },
    "EMY-5013": {
        "en": Message("{name} cannot be asked: {reason}", "see [llm] and [providers]"),
        "ko": Message("{name}에 물어볼 수 없습니다: {reason}", "[llm]과 [providers]를 보세요"),
    },
}  # fmt: skip
