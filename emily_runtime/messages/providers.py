"""Language model providers and the budget (5xxx)."""

from emily_runtime.messages.message import Catalogue, Message

PROVIDERS: Catalogue = {
    "EMY-5001": {
        "en": Message("{name} keeps failing and is left alone; it is tried again in {seconds} s",
                      "look at what failed: journalctl -u 'emily-runtime*' -g {name}"),
        "ko": Message("{name}이(가) 계속 실패해 잠시 쉬게 합니다. {seconds}초 뒤에 다시 시도합니다",
                      "무엇이 실패했는지 확인: journalctl -u 'emily-runtime*' -g {name}"),
    },
}  # fmt: skip
