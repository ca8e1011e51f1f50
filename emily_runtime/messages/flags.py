"""Feature flags (6xxx)."""

from emily_runtime.messages.message import Catalogue, Message

FLAGS: Catalogue = {
    "EMY-6001": {
        "en": Message("{name} is no name of a flag", "letters, digits and hyphens will do"),
        "ko": Message("{name}은(는) 플래그 이름이 될 수 없습니다", "글자, 숫자, 하이픈을 쓰세요"),
    },
    "EMY-6002": {
        "en": Message("flag {name}: a share of {share} % cannot be told apart",
                      "from 0 to 100, with two digits after the point at most"),
        "ko": Message("플래그 {name}: 비율 {share} %는 구분할 수 없습니다",
                      "0에서 100까지, 소수점 아래 두 자리까지 쓰세요"),
    },
    "EMY-6003": {
        "en": Message("flag {name} has no {key}", "say it under [flags.{name}]: {key} = ..."),
        "ko": Message("플래그 {name}에 {key} 항목이 없습니다",
                      "[flags.{name}]에 쓰세요: {key} = ..."),
    },
    "EMY-6004": {
        "en": Message("flag {name}: there is no day {since}", "write a day such as 2026-11-22"),
        "ko": Message("플래그 {name}: {since}라는 날은 없습니다", "2026-11-22처럼 쓰세요"),
    },
}  # fmt: skip
