"""Memory (4xxx)."""

from emily_runtime.messages.message import Catalogue, Message

MEMORY: Catalogue = {
    "EMY-4001": {
        "en": Message("{place}: no room to remember; what is stored stays readable ({reason})",
                      "make room, and writing goes on by itself: df -h"),
        "ko": Message("{place}: 저장할 공간이 없습니다. 저장된 것은 읽을 수 있습니다 ({reason})",
                      "공간을 만들면 저절로 계속됩니다: df -h"),
    },
    "EMY-4002": {
        "en": Message("{place} cannot be written to: {reason}",
                      "see whose it is and how it is mounted: namei -l {place}"),
        "ko": Message("{place}에 쓸 수 없습니다: {reason}",
                      "소유자와 마운트를 확인하세요: namei -l {place}"),
    },
    "EMY-4003": {
        "en": Message("{place} is damaged: {reason}",
                      "stop it, restore a backup, or salvage: sqlite3 {place} .recover"),
        "ko": Message("{place}이(가) 손상되었습니다: {reason}",
                      "멈추고 백업을 복원하거나 건지세요: sqlite3 {place} .recover"),
    },
    "EMY-4004": {
        "en": Message("{place} has layout {found}; this release knows {known}",
                      "start the release that wrote it; nothing was changed here"),
        "ko": Message("{place}의 구조는 {found}이고, 이 버전은 {known}까지 압니다",
                      "그것을 쓴 버전으로 시작하세요. 바뀐 것은 없습니다"),
    },
    "EMY-4005": {
        "en": Message("{place} is held by another process: {reason}",
                      "try again; to see who holds it: fuser -v {place}"),
        "ko": Message("다른 프로세스가 {place}을(를) 잡고 있습니다: {reason}",
                      "다시 시도하세요. 누가 잡고 있는지 확인: fuser -v {place}"),
    },
    "EMY-4006": {
        "en": Message("{place} could not be read or written: {reason}",
                      "look for a failing disk: dmesg | tail"),
        "ko": Message("{place}을(를) 읽거나 쓸 수 없었습니다: {reason}",
                      "디스크 고장을 확인하세요: dmesg | tail"),
    },
    "EMY-4007": {
        "en": Message("the memory did not answer within {seconds} s",
                      "try again; an episode that is sent twice is stored once"),
        "ko": Message("기억이 {seconds}초 안에 응답하지 않았습니다",
                      "다시 시도하세요. 두 번 보낸 기억도 한 번만 저장됩니다"),
    },
    "EMY-4008": {
        "en": Message("the memory is closed", "wait until the service is ready again"),
        "ko": Message("기억이 닫혀 있습니다", "서비스가 다시 준비될 때까지 기다리세요"),
    },
    "EMY-4009": {
        "en": Message("{place} is no memory of emily: {reason}",
                      "name another folder or database; nothing was changed here"),
        "ko": Message("{place}은(는) emily의 기억이 아닙니다: {reason}",
                      "다른 폴더나 데이터베이스를 쓰세요. 바뀐 것은 없습니다"),
    },
    "EMY-4010": {
        "en": Message("episode {identity}, {field}: {reason}", "mend it and send it again"),
        "ko": Message("기억 {identity}, {field}: {reason}", "고쳐서 다시 보내세요"),
    },
    "EMY-4020": {
        "en": Message("{place} cannot be reached: {reason}",
                      "is it up? try: pg_isready; it is used again as soon as it answers"),
        "ko": Message("{place}에 연결할 수 없습니다: {reason}",
                      "켜져 있습니까? 확인: pg_isready. 응답하면 저절로 다시 씁니다"),
    },
    "EMY-4021": {
        "en": Message("{place} does not let us in: {reason}",
                      "peer authentication wants a role named as the service's user: createuser"),
        "ko": Message("{place}이(가) 접속을 허락하지 않습니다: {reason}",
                      "peer 인증에는 서비스 사용자와 이름이 같은 역할이 필요합니다: createuser"),
    },
    "EMY-4022": {
        "en": Message("{place} took too long and was told to stop: {reason}",
                      "ask for less; to see what it is busy with: select * from pg_stat_activity"),
        "ko": Message("{place}이(가) 너무 오래 걸려 중단했습니다: {reason}",
                      "더 적게 요청하세요. 하는 일 확인: select * from pg_stat_activity"),
    },
    "EMY-4024": {
        "en": Message("{place} refused a statement: {reason}",
                      "look into its log; nothing of this call was stored"),
        "ko": Message("{place}이(가) 명령을 거부했습니다: {reason}",
                      "서버 로그를 보세요. 이 요청은 저장되지 않았습니다"),
    },
    "EMY-4025": {
        "en": Message("PostgreSQL needs a library that is not here: {reason}",
                      "install it: pip install 'emily-runtime[postgresql]'"),
        "ko": Message("PostgreSQL에 필요한 라이브러리가 없습니다: {reason}",
                      "설치하세요: pip install 'emily-runtime[postgresql]'"),
    },
    "EMY-4026": {
        "en": Message("{place} cannot be written to: {reason}",
                      "a standby, or a role without rights? select pg_is_in_recovery()"),
        "ko": Message("{place}에 쓸 수 없습니다: {reason}",
                      "대기 서버이거나 권한이 없습니까? select pg_is_in_recovery()"),
    },
    "EMY-4027": {
        "en": Message("{place} reports damage: {reason}",
                      "stop writing, look for what else is hurt with pg_amcheck, restore a backup"),
        "ko": Message("{place}에서 손상이 보고되었습니다: {reason}",
                      "쓰기를 멈추고 pg_amcheck로 살핀 뒤 백업을 복원하세요"),
    },
    "EMY-4030": {
        "en": Message("{differ} of {count} episodes differ after the copy, the first is {first}",
                      "both memories are left as they are; copy into an empty one"),
        "ko": Message("복사 뒤 기억 {count}개 중 {differ}개가 다릅니다. 처음 것: {first}",
                      "두 기억은 그대로 둡니다. 빈 곳으로 복사하세요"),
    },
}  # fmt: skip
