"""Configurations of credentials, region and endpoints, and how the AWS tools interpret them.

test_identity_cases.py gives each to `everyitem whoami` and to botocore, and holds them equal. Where
they may differ, `differs` has both values, everyitem's first, and `because` says why. Debian's botocore
is of 2022: where a current one answers otherwise, everyitem follows that, and `now` has the answer. A
judge of `./test --judges` asks the current one.
"""

import hashlib
import json
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

ROLE = "arn:aws:iam::111122223333:role/"
START_URL = "https://example.awsapps.com/start"

# Sessions are written as the fault server names them: ROLE/SESSION, with "*" for a name the program
# chose.
AUTO = "*"


class Case(NamedTuple):
    name: str
    config: Optional[str] = None  # ~/.aws/config; @HOME@ stands for the home directory
    credentials: Optional[str] = None  # ~/.aws/credentials
    files: Dict[str, Any] = {}  # other files, by path in the home directory; text or bytes
    env: Dict[str, Optional[str]] = {}  # None removes a default variable; @HOME@ and @SERVER@ are replaced
    profile: str = ""  # --profile
    region: str = ""  # --region
    server: Dict[str, str] = {}  # options of the fault server
    # What both must report. For anything not given, they only have to agree.
    key: Optional[str] = None
    provider: Optional[str] = None
    in_region: Optional[str] = None
    endpoint: Optional[str] = None  # the endpoint of DynamoDB
    hosts: Optional[List[str]] = None  # the hosts that were called
    fails: str = ""  # both fail; a word in everyitem's message
    differs: Dict[str, Tuple[Any, Any]] = {}
    because: str = ""
    now: Dict[str, Any] = {}  # what everyitem and a current botocore say


def keys(name: str) -> str:
    """The settings for a user of the fault server."""
    key = f"AKIDUSER{name}"
    return f"aws_access_key_id = {key}\naws_secret_access_key = secret-of-{key}\n"


def key_variables(name: str) -> Dict[str, Optional[str]]:
    key = f"AKIDUSER{name}"
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": f"secret-of-{key}"}


def process_output(name: str, **more: Any) -> str:
    key = f"AKIDUSER{name}"
    pair = {"AccessKeyId": key, "SecretAccessKey": f"secret-of-{key}"}
    return json.dumps({"Version": 1, **pair, **more})


def sso_token(cached_for: str, **more: Any) -> Dict[str, str]:
    """The file in which `aws sso login` stores the token for a session name or a start URL."""
    name = hashlib.sha1(cached_for.encode()).hexdigest()
    token = {
        "startUrl": START_URL,
        "region": "eu-west-1",
        "accessToken": "sso-live",
        "expiresAt": "2099-01-01T00:00:00Z",
        **more,
    }
    return {f".aws/sso/cache/{name}.json": json.dumps(token)}


LOGIN_SESSION = "arn:aws:iam::000000000000:user/me"
LOGIN_KEY = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIEoCXp7s6quFkjfR0PKmWfJ1FreSQlpHKCKsFIiDlK/coAoGCCqGSM49
AwEHoUQDQgAEnCN0Nk7JLeMBtIpIvWz5Wr8MHPsQTkPX+nZUEZMIvTldUDLmTFFy
0MXFcXdk+Sp/qLKIeMt0pQHOnOG6cG7r0Q==
-----END EC PRIVATE KEY-----
"""


def login(
    folder: str = ".aws/login/cache",
    expires_at: str = "2020-01-01T00:00:00Z",
    refresh_token: str = "login-live",
    **more: Any,
) -> Dict[str, str]:
    """The file in which `aws login` stores the session LOGIN_SESSION."""
    name = hashlib.sha256(LOGIN_SESSION.encode()).hexdigest()
    key = "AKIDUSERLOGIN"
    session = {
        "accessToken": {
            "accessKeyId": key,
            "secretAccessKey": f"secret-of-{key}",
            "sessionToken": "token",
            "accountId": "000000000000",
            "expiresAt": expires_at,
        },
        "tokenType": "aws_sigv4",
        "refreshToken": refresh_token,
        "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": LOGIN_KEY,
        **more,
    }
    return {f"{folder}/{name}.json": json.dumps(session)}


def account(service_and_account: str, region: str = "us-east-1", suffix: str = "amazonaws.com") -> str:
    """The endpoint for one account: "ACCOUNT.ddb"."""
    return f"https://{service_and_account}.{region}.{suffix}"


NO_REGION: Dict[str, Optional[str]] = {"AWS_DEFAULT_REGION": None}
LOGIN = f"login_session = {LOGIN_SESSION}\n"
OWN_ACCOUNT = {"dynamodb": account("123456789012.ddb"), "kinesis": account("123456789012.data-kinesis")}
ROLES_ACCOUNT = {
    "dynamodb": account("111122223333.ddb"),
    "kinesis": account("111122223333.data-kinesis"),
}
LOGINS_ACCOUNT = {
    "dynamodb": account("000000000000.ddb"),
    "kinesis": account("000000000000.data-kinesis"),
}
NO_ACCOUNT = {
    "dynamodb": "https://dynamodb.us-east-1.amazonaws.com",
    "kinesis": "https://kinesis.us-east-1.amazonaws.com",
}
FIPS_FILE = "[default]\nuse_fips_endpoint = true\n"
WEB: Dict[str, Optional[str]] = {
    "AWS_WEB_IDENTITY_TOKEN_FILE": "@HOME@/token",
    "AWS_ROLE_ARN": ROLE + "pods",
    "AWS_ROLE_SESSION_NAME": "pod-1",
}
WEB_TOKEN = {"token": "web-live-1"}
CONTAINER: Dict[str, Optional[str]] = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "@SERVER@/v2/credentials/task-role"
}
METADATA: Dict[str, Optional[str]] = {
    "AWS_EC2_METADATA_DISABLED": None,
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@SERVER@",
}
LEGACY_SSO = f"""sso_start_url = {START_URL}
sso_region = eu-west-1
sso_account_id = 111122223333
sso_role_name = Reader
"""
SSO_SESSION = f"""sso_session = corp
sso_account_id = 111122223333
sso_role_name = Reader
[sso-session corp]
sso_start_url = {START_URL}
sso_region = eu-west-1
"""
REFRESHABLE = {
    "clientId": "client",
    "clientSecret": "client-live",
    "refreshToken": "refresh-live",
    "registrationExpiresAt": "2099-01-01T00:00:00Z",
}

STS = "sts.us-east-1.amazonaws.com"
PORTAL = "portal.sso.eu-west-1.amazonaws.com"
OIDC = "oidc.eu-west-1.amazonaws.com"

NO_AWS_REGION = "botocore reads AWS_DEFAULT_REGION alone; every other SDK reads AWS_REGION."
NOT_ONE_TOOL = "botocore has configparser read the files; the reference guide's format allows it."

CASES = [
    # Environment
    Case("environment", env=key_variables("ENV"), key="AKIDUSERENV", provider="env", hosts=[]),
    Case(
        "environment before files",
        env=key_variables("ENV"),
        credentials="[default]\n" + keys("FILE"),
        key="AKIDUSERENV",
    ),
    Case(
        "environment before AWS_PROFILE",
        env={**key_variables("ENV"), "AWS_PROFILE": "b"},
        credentials="[b]\n" + keys("FILE"),
        key="AKIDUSERENV",
    ),
    Case(
        "--profile before environment",
        env=key_variables("ENV"),
        credentials="[b]\n" + keys("FILE"),
        profile="b",
        key="AKIDUSERFILE",
        provider="keys",
    ),
    Case(
        "environment before web identity",
        env={**key_variables("ENV"), **WEB},
        files=WEB_TOKEN,
        key="AKIDUSERENV",
        hosts=[],
    ),
    Case(
        "environment before container and metadata",
        env={**key_variables("ENV"), **CONTAINER, **METADATA},
        key="AKIDUSERENV",
    ),
    Case(
        "session token in the environment",
        env={**key_variables("ENV"), "AWS_SESSION_TOKEN": "token"},
        key="AKIDUSERENV",
    ),
    Case(
        "access key alone in the environment",
        env={"AWS_ACCESS_KEY_ID": "AKIDUSERENV"},
        credentials="[default]\n" + keys("FILE"),
        fails="AWS_SECRET_ACCESS_KEY",
    ),
    Case(
        "secret alone in the environment",
        env={"AWS_SECRET_ACCESS_KEY": "secret-of-AKIDUSERENV"},
        credentials="[default]\n" + keys("FILE"),
        differs={"key": (None, "AKIDUSERFILE")},
        because="Half a pair is a mistake whichever half it is; botocore looks at the first alone.",
    ),
    Case(
        "empty variables are not set",
        env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""},
        credentials="[default]\n" + keys("FILE"),
        key="AKIDUSERFILE",
    ),
    Case(
        "session of the files is not mixed into the environment's keys",
        env=key_variables("ENV"),
        config="[default]\naws_session_token = other\n",
        key="AKIDUSERENV",
    ),
    # Files
    Case(
        "credentials file", credentials="[default]\n" + keys("FILE"), key="AKIDUSERFILE", hosts=[]
    ),
    Case("keys in the config file", config="[default]\n" + keys("CONFIG"), key="AKIDUSERCONFIG"),
    Case(
        "credentials file before config file",
        credentials="[default]\n" + keys("FILE"),
        config="[default]\n" + keys("CONFIG"),
        key="AKIDUSERFILE",
    ),
    Case(
        "AWS_PROFILE",
        env={"AWS_PROFILE": "b"},
        credentials="[default]\n" + keys("FILE") + "[b]\n" + keys("B"),
        key="AKIDUSERB",
    ),
    Case(
        "AWS_DEFAULT_PROFILE",
        env={"AWS_DEFAULT_PROFILE": "b"},
        credentials="[default]\n" + keys("FILE") + "[b]\n" + keys("B"),
        key="AKIDUSERB",
    ),
    Case(
        "AWS_PROFILE and AWS_DEFAULT_PROFILE",
        env={"AWS_PROFILE": "b", "AWS_DEFAULT_PROFILE": "c"},
        credentials="[b]\n" + keys("B") + "[c]\n" + keys("C"),
        differs={"key": ("AKIDUSERB", "AKIDUSERC")},
        because="The reference guide has AWS_PROFILE; botocore asks its own old name first.",
    ),
    Case(
        "--profile before AWS_PROFILE",
        env={"AWS_PROFILE": "b"},
        profile="c",
        credentials="[b]\n" + keys("B") + "[c]\n" + keys("C"),
        key="AKIDUSERC",
    ),
    Case(
        "profile in the config file has its prefix",
        config="[profile b]\n" + keys("B"),
        profile="b",
        key="AKIDUSERB",
    ),
    Case(
        "heading without prefix in the config file is not a profile",
        config="[b]\n" + keys("B"),
        profile="b",
        fails="b",
    ),
    Case(
        "heading with prefix in the credentials file is not a profile",
        credentials="[profile b]\n" + keys("B"),
        profile="b",
        fails="b",
    ),
    Case(
        "name of a profile in quotes",
        config='[profile "b c"]\n' + keys("B"),
        profile="b c",
        key="AKIDUSERB",
    ),
    Case(
        "[profile default]",
        config="[profile default]\n" + keys("CONFIG"),
        key="AKIDUSERCONFIG",
    ),
    Case(
        "[default] and [profile default]",
        config="[profile default]\n" + keys("PREFIX") + "[default]\n" + keys("PLAIN"),
        differs={"key": ("AKIDUSERPREFIX", "AKIDUSERPLAIN")},
        because="Of the two the SDKs take the one with the prefix; botocore the later one.",
    ),
    Case("profile that does not exist", env={"AWS_PROFILE": "missing"}, fails="missing"),
    Case("--profile that does not exist", profile="missing", fails="missing"),
    Case(
        "profile that does not exist next to credentials in the environment",
        env={**key_variables("ENV"), "AWS_PROFILE": "missing"},
        fails="missing",
    ),
    Case(
        "access key alone in a profile",
        credentials="[default]\naws_access_key_id = AKIDUSERFILE\n",
        fails="aws_secret_access_key",
    ),
    Case(
        "secret alone in a profile",
        credentials="[default]\naws_secret_access_key = secret-of-AKIDUSERFILE\n",
        fails="aws_access_key_id",
    ),
    Case(
        "pair of keys over both files",
        credentials="[default]\naws_access_key_id = AKIDUSERFILE\n",
        config="[default]\naws_secret_access_key = secret-of-AKIDUSERFILE\n",
        differs={"key": ("AKIDUSERFILE", None)},
        because="The SDKs merge the profile of both files; botocore reads keys of one file alone.",
    ),
    Case(
        "AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE",
        env={
            "AWS_CONFIG_FILE": "@HOME@/other/config",
            "AWS_SHARED_CREDENTIALS_FILE": "@HOME@/other/credentials",
            **NO_REGION,
        },
        files={
            "other/config": "[default]\nregion = eu-west-3\n",
            "other/credentials": "[default]\n" + keys("OTHER"),
        },
        credentials="[default]\n" + keys("FILE"),
        key="AKIDUSEROTHER",
        in_region="eu-west-3",
    ),
    Case(
        "file names with a tilde",
        env={"AWS_SHARED_CREDENTIALS_FILE": "~/other"},
        files={"other": "[default]\n" + keys("OTHER")},
        key="AKIDUSEROTHER",
    ),
    # The format of the files
    Case(
        "duplicate sections are one",
        config="[profile b]\nregion = eu-west-3\n[profile b]\n" + keys("B"),
        env=NO_REGION,
        profile="b",
        differs={
            "key": ("AKIDUSERB", None),
        },
        because=NOT_ONE_TOOL,
    ),
    Case(
        "duplicate settings: the later counts",
        credentials="[default]\naws_access_key_id = first\n" + keys("FILE"),
        differs={"key": ("AKIDUSERFILE", None)},
        because=NOT_ONE_TOOL,
    ),
    Case(
        "byte order mark",
        files={".aws/credentials": b"\xef\xbb\xbf[default]\n" + keys("FILE").encode()},
        differs={"key": ("AKIDUSERFILE", None)},
        because=NOT_ONE_TOOL,
    ),
    Case(
        "lines that end in CR LF",
        files={".aws/credentials": ("[default]\n" + keys("FILE")).replace("\n", "\r\n").encode()},
        key="AKIDUSERFILE",
    ),
    Case(
        "comments",
        credentials="# one\n; two\n[default]\n# three\n" + keys("FILE") + "; four\n",
        key="AKIDUSERFILE",
    ),
    Case(
        "comment behind a value",
        config="[default]\nregion = eu-west-3 # here\n" + keys("CONFIG"),
        env=NO_REGION,
        differs={"key": ("AKIDUSERCONFIG", None)},
        because=NOT_ONE_TOOL,
    ),
    Case(
        "nested settings",
        config="[default]\ns3 =\n  max_concurrent_requests = 20\n  region = wrong\n"
        "region = eu-west-3\n" + keys("CONFIG"),
        env=NO_REGION,
        key="AKIDUSERCONFIG",
        in_region="eu-west-3",
    ),
    Case(
        "names of settings in capitals",
        credentials="[default]\n" + keys("FILE").replace("aws_access_key_id", "AWS_Access_Key_ID"),
        key="AKIDUSERFILE",
    ),
    Case(
        "no spaces around the equals sign, and more of them in values",
        credentials="[default]\n"
        + keys("FILE").replace(" = ", "=")
        + "aws_session_token=a=b==\n",
        key="AKIDUSERFILE",
    ),
    Case(
        "empty lines between settings",
        credentials="\n\n[default]\n\n" + keys("FILE").replace("\n", "\n\n"),
        key="AKIDUSERFILE",
    ),
    Case("line that is not a setting", credentials="[default]\nwhat\n" + keys("FILE"), fails="/credentials:2:"),
    Case("no section before a setting", credentials=keys("FILE"), fails="/credentials:1:"),
    Case(
        "empty files",
        config="",
        credentials="",
        env=key_variables("ENV"),
        key="AKIDUSERENV",
    ),
    # Roles
    Case(
        "role with source_profile",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\nsource_profile = base\n",
        credentials="[base]\n" + keys("BASE"),
        profile="b",
        key="deploy/*",
        provider="role",
        hosts=[STS],
    ),
    Case(
        "role of the default profile",
        config=f"[default]\nrole_arn = {ROLE}deploy\nsource_profile = base\n"
        f"[profile base]\n{keys('BASE')}",
        key="deploy/*",
    ),
    Case(
        "role over three profiles",
        config=f"[profile c]\nrole_arn = {ROLE}only-middle\nsource_profile = b\n"
        f"[profile b]\nrole_arn = {ROLE}middle\nsource_profile = a\n"
        f"[profile a]\n{keys('BASE')}",
        profile="c",
        key="only-middle/*",
        hosts=[STS],
    ),
    Case(
        "role with a name for its session, an external id and a duration",
        config=f"[profile b]\nrole_arn = {ROLE}external-id-77\nsource_profile = a\n"
        "external_id = 77\nrole_session_name = me@work\nduration_seconds = 900\n"
        f"[profile a]\n{keys('BASE')}",
        profile="b",
        key="external-id-77/me@work",
    ),
    Case(
        "wrong external id",
        config=f"[profile b]\nrole_arn = {ROLE}external-id-77\nsource_profile = a\n"
        f"external_id = 78\n[profile a]\n{keys('BASE')}",
        profile="b",
        fails="AccessDenied",
    ),
    Case(
        "duration that STS does not take",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\nsource_profile = a\n"
        f"duration_seconds = 60\n[profile a]\n{keys('BASE')}",
        profile="b",
        fails="duration_seconds",
    ),
    Case(
        "role that is refused",
        config=f"[profile b]\nrole_arn = {ROLE}refused\nsource_profile = a\n"
        f"[profile a]\n{keys('BASE')}",
        profile="b",
        fails="AccessDenied",
    ),
    Case(
        "role and keys in one profile: the role",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\nsource_profile = a\n{keys('B')}"
        f"[profile a]\n{keys('BASE')}",
        profile="b",
        key="deploy/*",
    ),
    Case(
        "profile that is its own source",
        config=f"[profile b]\nrole_arn = {ROLE}only-B\nsource_profile = b\n{keys('B')}",
        profile="b",
        key="only-B/*",
    ),
    Case(
        "source profile with keys and a role: its keys",
        config=f"[profile c]\nrole_arn = {ROLE}only-B\nsource_profile = b\n"
        f"[profile b]\nrole_arn = {ROLE}middle\nsource_profile = a\n{keys('B')}"
        f"[profile a]\n{keys('BASE')}",
        profile="c",
        key="only-B/*",
    ),
    Case(
        "profiles that refer to each other",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\nsource_profile = c\n"
        f"[profile c]\nrole_arn = {ROLE}deploy\nsource_profile = b\n",
        profile="b",
        fails="c -> b",
    ),
    Case(
        "profile that is its own source without keys",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\nsource_profile = b\n",
        profile="b",
        fails="b -> b",
    ),
    Case(
        "source profile that does not exist",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\nsource_profile = missing\n",
        profile="b",
        fails="missing",
    ),
    Case(
        "source profile without credentials",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\nsource_profile = a\n"
        "[profile a]\nregion = eu-west-3\n",
        profile="b",
        fails="a",
    ),
    Case(
        "role without a source",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\n",
        profile="b",
        fails="source_profile",
    ),
    Case(
        "role with two sources",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\nsource_profile = a\n"
        f"credential_source = Environment\n[profile a]\n{keys('BASE')}",
        profile="b",
        fails="credential_source",
    ),
    Case(
        "credential_source Environment",
        config=f"[profile b]\nrole_arn = {ROLE}only-ENV\ncredential_source = Environment\n",
        env=key_variables("ENV"),
        profile="b",
        key="only-ENV/*",
    ),
    Case(
        "credential_source Environment, empty",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\ncredential_source = Environment\n",
        profile="b",
        fails="AWS_ACCESS_KEY_ID",
    ),
    Case(
        "credential_source EcsContainer",
        config=f"[profile b]\nrole_arn = {ROLE}only-task-role\ncredential_source = EcsContainer\n",
        env=CONTAINER,
        profile="b",
        key="only-task-role/*",
    ),
    Case(
        "credential_source Ec2InstanceMetadata",
        config=f"[profile b]\nrole_arn = {ROLE}only-instance-role\n"
        "credential_source = Ec2InstanceMetadata\n",
        env=METADATA,
        profile="b",
        key="only-instance-role/*",
    ),
    Case(
        "credential_source that there is not",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\ncredential_source = Moon\n",
        profile="b",
        fails="Moon",
    ),
    Case(
        "role that wants an MFA code, and nobody to ask",
        config=f"[profile b]\nrole_arn = {ROLE}mfa-123456\nsource_profile = a\n"
        f"mfa_serial = arn:aws:iam::111122223333:mfa/me\n[profile a]\n{keys('BASE')}",
        profile="b",
        fails="MFA",
    ),
    Case(
        "role with its source from a process",
        config=f"[profile b]\nrole_arn = {ROLE}only-PROCESS\nsource_profile = a\n"
        "[profile a]\ncredential_process = /bin/cat @HOME@/output\n",
        files={"output": process_output("PROCESS")},
        profile="b",
        key="only-PROCESS/*",
    ),
    Case(
        "role with its source from single sign-on",
        config=f"[profile b]\nrole_arn = {ROLE}only-Reader\nsource_profile = a\n"
        f"[profile a]\n{LEGACY_SSO}",
        files=sso_token(START_URL),
        profile="b",
        key="only-Reader/*",
        hosts=[PORTAL, STS],
    ),
    Case(
        "role with its source from a web identity token",
        config=f"[profile b]\nrole_arn = {ROLE}only-pods\nsource_profile = a\n"
        f"[profile a]\nrole_arn = {ROLE}pods\nweb_identity_token_file = @HOME@/token\n",
        files=WEB_TOKEN,
        profile="b",
        key="only-pods/*",
    ),
    Case(
        "STS in the region of the profile",
        config=f"[profile b]\nregion = eu-west-3\nrole_arn = {ROLE}deploy\nsource_profile = a\n"
        f"[profile a]\nregion = eu-west-2\n{keys('BASE')}",
        env=NO_REGION,
        profile="b",
        key="deploy/*",
        hosts=["sts.eu-west-3.amazonaws.com"],
    ),
    Case(
        "STS of the partition",
        config="[profile b]\nregion = cn-north-1\n"
        f"role_arn = arn:aws-cn:iam::111122223333:role/deploy\nsource_profile = a\n"
        f"[profile a]\n{keys('BASE')}",
        env=NO_REGION,
        profile="b",
        key="deploy/*",
        hosts=["sts.cn-north-1.amazonaws.com.cn"],
    ),
    # Web identity
    Case(
        "web identity token",
        env=WEB,
        files=WEB_TOKEN,
        key="pods/pod-1",
        provider="web-identity",
        hosts=[STS],
    ),
    Case(
        "web identity without a name for its session",
        env={**WEB, "AWS_ROLE_SESSION_NAME": None},
        files=WEB_TOKEN,
        key="pods/*",
    ),
    Case(
        "web identity before keys of a profile",
        env=WEB,
        files=WEB_TOKEN,
        credentials="[default]\n" + keys("FILE"),
        key="pods/pod-1",
    ),
    Case(
        "web identity before a role of a profile",
        env=WEB,
        files=WEB_TOKEN,
        config=f"[default]\nrole_arn = {ROLE}deploy\nsource_profile = a\n[profile a]\n{keys('A')}",
        differs={
            "key": ("pods/pod-1", "deploy/*"),
            "provider": ("web-identity", "role"),
        },
        because="The order of the SDKs has the variables before all profiles; botocore has roles "
        "of profiles between them.",
    ),
    Case(
        "--profile before web identity",
        env=WEB,
        files=WEB_TOKEN,
        credentials="[b]\n" + keys("B"),
        profile="b",
        key="AKIDUSERB",
    ),
    Case(
        "web identity of a profile",
        config=f"[profile b]\nrole_arn = {ROLE}pods\nweb_identity_token_file = @HOME@/token\n"
        "role_session_name = from-profile\n",
        files=WEB_TOKEN,
        profile="b",
        key="pods/from-profile",
    ),
    Case("web identity with an expired token", env=WEB, files={"token": "web-expired"}, fails="xpired"),
    Case("web identity without its file", env=WEB, fails="token"),
    Case(
        "web identity without a role",
        env={**WEB, "AWS_ROLE_ARN": None},
        files=WEB_TOKEN,
        fails="AWS_ROLE_ARN",
    ),
    Case(
        "role without a token",
        env={"AWS_ROLE_ARN": ROLE + "pods"},
        credentials="[default]\n" + keys("FILE"),
        key="AKIDUSERFILE",
    ),
    # A program
    Case(
        "credential_process",
        config="[default]\ncredential_process = /bin/cat @HOME@/output\n",
        files={"output": process_output("PROCESS")},
        key="AKIDUSERPROCESS",
        provider="process",
    ),
    Case(
        "credential_process with quotes and spaces",
        config='[default]\ncredential_process = /bin/cat "@HOME@/with space"\n',
        files={"with space": process_output("PROCESS")},
        key="AKIDUSERPROCESS",
    ),
    Case(
        "credential_process is not run by a shell",
        config="[default]\ncredential_process = /bin/cat @HOME@/output; true | /bin/cat\n",
        files={"output": process_output("PROCESS")},
        fails="credential_process",
    ),
    Case(
        "credential_process that fails",
        config="[default]\ncredential_process = /bin/false\n",
        fails="credential_process",
    ),
    Case(
        "credential_process with another version",
        config="[default]\ncredential_process = /bin/cat @HOME@/output\n",
        files={"output": process_output("PROCESS", Version=2)},
        fails="Version",
    ),
    Case(
        "credential_process that gives expired credentials",
        config="[default]\ncredential_process = /bin/cat @HOME@/output\n",
        files={"output": process_output("PROCESS", Expiration="2020-01-01T00:00:00Z")},
        fails="expired",
    ),
    Case(
        "keys of the credentials file before credential_process",
        config="[default]\ncredential_process = /bin/cat @HOME@/output\n",
        files={"output": process_output("PROCESS")},
        credentials="[default]\n" + keys("FILE"),
        key="AKIDUSERFILE",
    ),
    Case(
        "credential_process before keys of the config file",
        config="[default]\ncredential_process = /bin/cat @HOME@/output\n" + keys("CONFIG"),
        files={"output": process_output("PROCESS")},
        key="AKIDUSERPROCESS",
    ),
    # Single sign-on
    Case(
        "single sign-on, legacy",
        config="[default]\n" + LEGACY_SSO,
        files=sso_token(START_URL),
        key="Reader/sso",
        provider="sso",
        hosts=[PORTAL],
    ),
    Case(
        "single sign-on, legacy, expired token",
        config="[default]\n" + LEGACY_SSO,
        files=sso_token(START_URL, accessToken="sso-old", expiresAt="2020-01-01T00:00:00Z"),
        fails="aws sso login",
    ),
    Case("single sign-on, legacy, no token", config="[default]\n" + LEGACY_SSO, fails="aws sso login"),
    Case(
        "single sign-on, legacy, token that the portal does not know",
        config="[default]\n" + LEGACY_SSO,
        files=sso_token(START_URL, accessToken="other"),
        fails="aws sso login",
    ),
    Case(
        "single sign-on, legacy, role that is refused",
        config="[default]\n" + LEGACY_SSO.replace("Reader", "refused"),
        files=sso_token(START_URL),
        fails="Forbidden",
    ),
    Case(
        "single sign-on, legacy, incomplete",
        config="[default]\n" + LEGACY_SSO.replace("sso_region = eu-west-1\n", ""),
        files=sso_token(START_URL),
        fails="sso_region",
    ),
    Case(
        "sso-session",
        config="[profile b]\n" + SSO_SESSION,
        files=sso_token("corp"),
        profile="b",
        key="Reader/sso",
        provider="sso",
        hosts=[PORTAL],
    ),
    Case(
        "sso-session whose token is renewed",
        config="[profile b]\n" + SSO_SESSION,
        files=sso_token("corp", expiresAt="2020-01-01T00:00:00Z", **REFRESHABLE),
        profile="b",
        key="Reader/sso",
        hosts=[OIDC, PORTAL],
    ),
    Case(
        "sso-session whose refresh token has expired",
        config="[profile b]\n" + SSO_SESSION,
        files=sso_token(
            "corp",
            expiresAt="2020-01-01T00:00:00Z",
            **{**REFRESHABLE, "refreshToken": "refresh-expired"},
        ),
        profile="b",
        fails="aws sso login",
    ),
    Case(
        "sso-session whose expired token cannot be renewed",
        config="[profile b]\n" + SSO_SESSION,
        files=sso_token("corp", expiresAt="2020-01-01T00:00:00Z"),
        profile="b",
        fails="aws sso login",
    ),
    Case(
        "sso-session that does not exist",
        config="[profile b]\n" + SSO_SESSION.replace("[sso-session corp]", "[sso-session other]"),
        profile="b",
        fails="corp",
    ),
    Case(
        "single sign-on before keys of the profile",
        config="[default]\n" + LEGACY_SSO,
        files=sso_token(START_URL),
        credentials="[default]\n" + keys("FILE"),
        key="Reader/sso",
    ),
    # Containers
    Case("container", env=CONTAINER, key="task-role/task", provider="container"),
    Case(
        "container with a token",
        env={
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "@SERVER@/v2/credentials/token-abc",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "abc",
        },
        key="token-abc/task",
    ),
    Case(
        "container with a wrong token",
        env={
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "@SERVER@/v2/credentials/token-abc",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "other",
        },
        fails="AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ),
    Case(
        "EKS Pod Identity",
        env={
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "@SERVER@/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@HOME@/pod-token",
        },
        files={"pod-token": "pod-live-1"},
        now={"key": "pod-role/task", "provider": "container", **LOGINS_ACCOUNT},
    ),
    Case(
        "container that is elsewhere, without TLS",
        env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://198.51.100.1/v2/credentials/r"},
        fails="AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ),
    Case(
        "files before container",
        env=CONTAINER,
        credentials="[default]\n" + keys("FILE"),
        key="AKIDUSERFILE",
    ),
    Case("container before metadata", env={**CONTAINER, **METADATA}, key="task-role/task"),
    # Instance metadata
    Case(
        "metadata",
        env=METADATA,
        key="instance-role/i-00000000000000000",
        provider="metadata",
    ),
    Case(
        "metadata with both versions",
        env=METADATA,
        server={"metadata": "v1-and-v2"},
        key="instance-role/i-00000000000000000",
    ),
    Case(
        "metadata of version 1 alone",
        env=METADATA,
        server={"metadata": "v1"},
        differs={"key": (None, "instance-role/i-00000000000000000")},
        because="A request without a token may be a trick (SSRF): falling back is off by default.",
    ),
    Case("metadata is off", env=METADATA, server={"metadata": "disabled"}, fails="metadata"),
    Case(
        "AWS_EC2_METADATA_DISABLED",
        env={**METADATA, "AWS_EC2_METADATA_DISABLED": "true"},
        fails="AWS_EC2_METADATA_DISABLED",
    ),
    Case("instance without a role", env=METADATA, server={"metadata_role": "none"}, fails="metadata"),
    Case(
        "instance whose role cannot be assumed",
        env=METADATA,
        server={"metadata_role": "refused"},
        fails="metadata",
    ),
    Case(
        "files before metadata",
        env=METADATA,
        credentials="[default]\n" + keys("FILE"),
        key="AKIDUSERFILE",
    ),
    Case(
        "region of the instance",
        env={**METADATA, **NO_REGION},
        differs={
            "key": ("instance-role/i-00000000000000000", None),
            "region": ("eu-north-1", None),
        },
        because="The reference guide ends the search for a region there; botocore has no such step.",
    ),
    # Nothing
    Case("nothing at all", fails="AWS_ACCESS_KEY_ID"),
    Case("no region", env={**key_variables("ENV"), **NO_REGION}, fails="region"),
    # Region
    Case(
        "AWS_DEFAULT_REGION before the profile's region",
        env={**key_variables("ENV"), "AWS_DEFAULT_REGION": "eu-west-2"},
        config="[default]\nregion = eu-west-3\n",
        in_region="eu-west-2",
    ),
    Case(
        "region of the profile",
        env={**key_variables("ENV"), **NO_REGION},
        config="[default]\nregion = eu-west-3\n",
        in_region="eu-west-3",
    ),
    Case(
        "region of the profile that AWS_PROFILE names",
        env={**NO_REGION, "AWS_PROFILE": "b"},
        config="[default]\nregion = eu-west-3\n[profile b]\nregion = eu-south-1\n" + keys("B"),
        key="AKIDUSERB",
        in_region="eu-south-1",
    ),
    Case(
        "region in the credentials file",
        env=NO_REGION,
        credentials="[default]\nregion = eu-west-3\n" + keys("FILE"),
        in_region="eu-west-3",
    ),
    Case(
        "--region before all",
        env={**key_variables("ENV"), "AWS_DEFAULT_REGION": "eu-west-2"},
        config="[default]\nregion = eu-west-3\n",
        region="ap-south-1",
        in_region="ap-south-1",
    ),
    Case(
        "AWS_REGION before AWS_DEFAULT_REGION",
        env={**key_variables("ENV"), "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"},
        differs={"region": ("eu-west-1", "eu-west-2")},
        because=NO_AWS_REGION,
    ),
    # Endpoints
    Case(
        "partition aws-cn",
        env=key_variables("ENV"),
        region="cn-northwest-1",
        endpoint="https://dynamodb.cn-northwest-1.amazonaws.com.cn",
    ),
    Case(
        "partition aws-us-gov",
        env=key_variables("ENV"),
        region="us-gov-west-1",
        endpoint="https://dynamodb.us-gov-west-1.amazonaws.com",
    ),
    Case(
        "partition aws-iso",
        env=key_variables("ENV"),
        region="us-iso-east-1",
        endpoint="https://dynamodb.us-iso-east-1.c2s.ic.gov",
    ),
    Case(
        "partition aws-iso-b",
        env=key_variables("ENV"),
        region="us-isob-east-1",
        endpoint="https://dynamodb.us-isob-east-1.sc2s.sgov.gov",
    ),
    Case(
        "region that is newer than the program",
        env=key_variables("ENV"),
        region="eu-central-9",
        endpoint="https://dynamodb.eu-central-9.amazonaws.com",
    ),
    Case(
        "region that cannot be one",
        env=key_variables("ENV"),
        region="us east 1",
        fails="region",
    ),
    Case(
        "FIPS by variable",
        env={**key_variables("ENV"), "AWS_USE_FIPS_ENDPOINT": "true"},
        endpoint="https://dynamodb-fips.us-east-1.amazonaws.com",
    ),
    Case(
        "FIPS by profile",
        env=key_variables("ENV"),
        config="[default]\nuse_fips_endpoint = true\n",
        region="us-west-2",
        endpoint="https://dynamodb-fips.us-west-2.amazonaws.com",
    ),
    Case(
        "FIPS in aws-us-gov",
        env={**key_variables("ENV"), "AWS_USE_FIPS_ENDPOINT": "true"},
        region="us-gov-west-1",
        # Its one endpoint there is the FIPS one.
        now={"kinesis": "https://kinesis.us-gov-west-1.amazonaws.com"},
    ),
    Case(
        "variable before profile for FIPS",
        env={**key_variables("ENV"), "AWS_USE_FIPS_ENDPOINT": "false"},
        config="[default]\nuse_fips_endpoint = true\n",
        endpoint="https://dynamodb.us-east-1.amazonaws.com",
    ),
    Case(
        "dual-stack by variable",
        env={**key_variables("ENV"), "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    ),
    Case(
        "dual-stack by profile, in aws-cn",
        env=key_variables("ENV"),
        config="[default]\nuse_dualstack_endpoint = true\n",
        region="cn-north-1",
    ),
    Case(
        "FIPS and dual-stack",
        env={
            **key_variables("ENV"),
            "AWS_USE_FIPS_ENDPOINT": "true",
            "AWS_USE_DUALSTACK_ENDPOINT": "true",
        },
    ),
    Case(
        "STS without a choice of the user",
        env={**key_variables("ENV"), "AWS_STS_REGIONAL_ENDPOINTS": None},
        now={"sts": "https://sts.us-east-1.amazonaws.com"},
    ),
    Case(
        "endpoint of one service by variable",
        env={**key_variables("ENV"), "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1"},
        now={"dynamodb": "http://127.0.0.1:1"},
    ),
    Case(
        "endpoint of all services by profile, of one by its services",
        env=key_variables("ENV"),
        config="[default]\nendpoint_url = http://127.0.0.1:1\nservices = local\n"
        "[services local]\nkinesis =\n  endpoint_url = http://127.0.0.1:2\n",
        now={
            "dynamodb": "http://127.0.0.1:1",
            "kinesis": "http://127.0.0.1:2",
            "sts": "http://127.0.0.1:1",
        },
    ),
    Case(
        "endpoints of settings are ignored where that is said",
        env={
            **key_variables("ENV"),
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        },
        endpoint="https://dynamodb.us-east-1.amazonaws.com",
    ),
    # Files that are not there
    Case(
        "without HOME, a folder named ~ is not the home folder",
        env={**key_variables("ENV"), "HOME": None},
        files={"~/.aws/config": FIPS_FILE},
        key="AKIDUSERENV",
        endpoint="https://dynamodb.us-east-1.amazonaws.com",
    ),
    Case(
        "HOME that is empty",
        env={**key_variables("ENV"), "HOME": ""},
        files={"~/.aws/config": FIPS_FILE},
        key="AKIDUSERENV",
        endpoint="https://dynamodb.us-east-1.amazonaws.com",
    ),
    Case(
        "HOME that is the current folder",
        env={**key_variables("ENV"), "HOME": "."},
        config=FIPS_FILE,
        differs={
            "dynamodb": (
                "https://dynamodb.us-east-1.amazonaws.com",
                "https://dynamodb-fips.us-east-1.amazonaws.com",
            ),
            "kinesis": (
                "https://kinesis.us-east-1.amazonaws.com",
                "https://kinesis-fips.us-east-1.amazonaws.com",
            ),
            "sts": (
                "https://sts.us-east-1.amazonaws.com",
                "https://sts-fips.us-east-1.amazonaws.com",
            ),
        },
        because="Settings name programs that are run: those of the current folder are never obeyed.",
    ),
    Case(
        "folders where the files should be",
        files={".aws/credentials/x": "", ".aws/config/x": ""},
        env=key_variables("ENV"),
        key="AKIDUSERENV",
    ),
    Case(
        "device as the config file",
        env={"AWS_CONFIG_FILE": "/dev/null"},
        config=FIPS_FILE,
        credentials="[default]\n" + keys("FILE"),
        key="AKIDUSERFILE",
        endpoint="https://dynamodb.us-east-1.amazonaws.com",
    ),
    Case(
        "variables in the names of files",
        env={
            "AWS_CONFIG_FILE": "${PLACE}/config",
            "AWS_SHARED_CREDENTIALS_FILE": "$PLACE/credentials",
            "PLACE": "~/other",
            **NO_REGION,
        },
        files={
            "other/config": "[default]\nregion = eu-west-3\n",
            "other/credentials": "[default]\n" + keys("OTHER"),
        },
        key="AKIDUSEROTHER",
        in_region="eu-west-3",
    ),
    Case(
        "variable that is not set in the name of a file",
        env={**key_variables("ENV"), "AWS_CONFIG_FILE": "@HOME@/$NONE"},
        files={"$NONE": FIPS_FILE},
        endpoint="https://dynamodb-fips.us-east-1.amazonaws.com",
    ),
    # More of the format
    Case(
        "heading with something after it",
        config="[profile p] /* note */\n" + keys("P"),
        profile="p",
        key="AKIDUSERP",
    ),
    Case(
        "lines that end in CR alone",
        files={".aws/credentials": ("[default]\n" + keys("FILE")).replace("\n", "\r").encode()},
        key="AKIDUSERFILE",
    ),
    Case(
        "credentials file that is not UTF-8",
        files={".aws/credentials": b"[default]\naws_access_key_id = A\xff\naws_secret_access_key = s\n"},
        fails="/credentials:2: not UTF-8",
    ),
    Case(
        "config file that is not UTF-8, and keys in the environment",
        env=key_variables("ENV"),
        files={".aws/config": b"[default]\n# \xe9t\xe9\n"},
        fails="/config:2: not UTF-8",
    ),
    Case(
        "access key with a line break",
        env={**key_variables("ENV"), "AWS_ACCESS_KEY_ID": "AKIDUSERENV\n"},
        differs={"key": (None, "AKIDUSERENV\n")},
        because="It cannot be sent: botocore fails with the first request.",
    ),
    # Retries
    Case(
        "number of attempts and retry mode",
        env={**key_variables("ENV"), "AWS_MAX_ATTEMPTS": "7", "AWS_RETRY_MODE": "adaptive"},
        key="AKIDUSERENV",
    ),
    Case(
        "number of attempts that is not a number",
        env={**key_variables("ENV"), "AWS_MAX_ATTEMPTS": "many"},
        fails="AWS_MAX_ATTEMPTS",
    ),
    Case(
        "no attempts",
        env=key_variables("ENV"),
        config="[default]\nmax_attempts = 0\n",
        fails="max_attempts",
    ),
    Case(
        "retry mode that does not exist",
        env={**key_variables("ENV"), "AWS_RETRY_MODE": "maybe"},
        fails="AWS_RETRY_MODE",
    ),
    Case(
        "retry mode in capitals, in a profile",
        env=key_variables("ENV"),
        config="[default]\nretry_mode = Standard\n",
        fails="retry_mode",
    ),
    # aws login
    Case(
        "login session that is valid",
        config="[default]\n" + LOGIN,
        files=login(expires_at="2099-01-01T00:00:00Z"),
        now={"key": "AKIDUSERLOGIN", "provider": "login", "hosts": [], **LOGINS_ACCOUNT},
    ),
    Case(
        "login session that has expired is refreshed",
        config="[default]\n" + LOGIN,
        files=login(),
        now={"key": "login/me", "provider": "login", "hosts": ["us-east-1.signin.aws.amazon.com"]},
    ),
    Case(
        "login session of another region",
        config="[default]\n" + LOGIN,
        files=login(signInRegion="eu-west-1"),
        now={"key": "login/me", "hosts": ["eu-west-1.signin.aws.amazon.com"]},
    ),
    Case(
        "login session in aws-us-gov",
        config="[default]\n" + LOGIN,
        files=login(),
        env={"AWS_DEFAULT_REGION": "us-gov-west-1"},
        now={"key": "login/me", "hosts": ["us-gov-west-1.signin.amazonaws-us-gov.com"]},
    ),
    Case(
        "login session in another folder",
        config="[default]\n" + LOGIN,
        files=login("else where"),
        env={"AWS_LOGIN_CACHE_DIRECTORY": "$PLACE/else where", "PLACE": "@HOME@"},
        now={"key": "login/me"},
    ),
    Case(
        "login session as the source of a role",
        config=f"[profile b]\nrole_arn = {ROLE}only-login\nsource_profile = a\n[profile a]\n{LOGIN}",
        files=login(),
        profile="b",
        now={"key": "only-login/*", "provider": "role", **ROLES_ACCOUNT},
    ),
    Case(
        "login session that nobody has",
        config="[default]\n" + LOGIN,
        fails="aws login --profile default",
    ),
    Case(
        "login session whose refresh is refused",
        config="[default]\n" + LOGIN,
        files=login(refresh_token="login-expired"),
        fails="aws login --profile default",
    ),
    Case(
        "login session without a key",
        config="[default]\n" + LOGIN,
        files=login(dpopKey="none"),
        fails="dpopKey",
    ),
    Case(
        "keys of the credentials file before a login session",
        config="[default]\n" + LOGIN,
        credentials="[default]\n" + keys("FILE"),
        files=login(),
        key="AKIDUSERFILE",
    ),
    Case(
        "login session before credential_process and keys of the config file",
        config=f"[default]\n{LOGIN}{keys('CONFIG')}credential_process = /bin/cat @HOME@/output\n",
        files={**login(), "output": process_output("PROC")},
        now={
            "key": "login/me",
            "provider": "login",
            "hosts": ["us-east-1.signin.aws.amazon.com"],
            **LOGINS_ACCOUNT,
        },
    ),
    # Endpoints for one account
    Case(
        "account in the environment",
        env={**key_variables("ENV"), "AWS_ACCOUNT_ID": "123456789012"},
        now=OWN_ACCOUNT,
    ),
    Case(
        "account in the credentials file",
        credentials=f"[default]\n{keys('FILE')}aws_account_id = 123456789012\n",
        now=OWN_ACCOUNT,
    ),
    Case(
        "account in the config file",
        config=f"[default]\n{keys('FILE')}aws_account_id = 123456789012\n",
        now=OWN_ACCOUNT,
    ),
    Case(
        "account in the environment, and keys in a file",
        env={"AWS_ACCOUNT_ID": "123456789012"},
        credentials="[default]\n" + keys("FILE"),
        now=NO_ACCOUNT,
    ),
    Case(
        "account of a role",
        config=f"[profile b]\nrole_arn = {ROLE}deploy\nsource_profile = a\n[profile a]\n{keys('BASE')}",
        profile="b",
        now=ROLES_ACCOUNT,
    ),
    Case("account of a web identity", env=WEB, files=WEB_TOKEN, now=ROLES_ACCOUNT),
    Case(
        "account of a single sign-on",
        config="[default]\n" + SSO_SESSION,
        files=sso_token("corp"),
        now=ROLES_ACCOUNT,
    ),
    Case(
        "account that a program tells",
        config="[default]\ncredential_process = /bin/cat @HOME@/output\naws_account_id = 1\n",
        files={"output": process_output("PROC", AccountId="123456789012")},
        now=OWN_ACCOUNT,
    ),
    Case(
        "account of the profile of a program",
        config="[default]\ncredential_process = /bin/cat @HOME@/output\n"
        "aws_account_id = 123456789012\n",
        files={"output": process_output("PROC")},
        now=OWN_ACCOUNT,
    ),
    Case(
        "account that cannot be one",
        env={**key_variables("ENV"), "AWS_ACCOUNT_ID": "a.b"},
        fails="account ID",
        now={"key": None},
    ),
    Case(
        "endpoints for an account disabled by variable",
        env={
            **key_variables("ENV"),
            "AWS_ACCOUNT_ID": "123456789012",
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "Disabled",
        },
        config="[default]\naccount_id_endpoint_mode = required\n",
        now=NO_ACCOUNT,
    ),
    Case(
        "endpoints for an account disabled by profile",
        env={**key_variables("ENV"), "AWS_ACCOUNT_ID": "123456789012"},
        config="[default]\naccount_id_endpoint_mode = disabled\n",
        now=NO_ACCOUNT,
    ),
    Case(
        "endpoints for an account required",
        env={
            **key_variables("ENV"),
            "AWS_ACCOUNT_ID": "123456789012",
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
        },
        now=OWN_ACCOUNT,
    ),
    Case(
        "endpoints for an account required, and none known",
        env={**key_variables("ENV"), "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"},
        fails="the account is not known",
        now={"key": None},
    ),
    Case(
        "endpoints for an account required with FIPS",
        env={
            **key_variables("ENV"),
            "AWS_ACCOUNT_ID": "123456789012",
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
            "AWS_USE_FIPS_ENDPOINT": "true",
        },
        fails="with FIPS",
        now={"key": None},
    ),
    Case(
        "endpoints for an account required in a partition without them",
        env={
            **key_variables("ENV"),
            "AWS_ACCOUNT_ID": "123456789012",
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
        },
        region="us-iso-east-1",
        fails="none in us-iso-east-1",
        now={"key": None},
    ),
    Case(
        "mode of endpoints for an account that does not exist",
        env={**key_variables("ENV"), "AWS_ACCOUNT_ID_ENDPOINT_MODE": "maybe"},
        fails="AWS_ACCOUNT_ID_ENDPOINT_MODE",
        now={"key": None},
    ),
    Case(
        "endpoints for an account with FIPS",
        env={
            **key_variables("ENV"),
            "AWS_ACCOUNT_ID": "123456789012",
            "AWS_USE_FIPS_ENDPOINT": "true",
        },
        now={
            "dynamodb": "https://dynamodb-fips.us-east-1.amazonaws.com",
            "kinesis": account("123456789012.data-kinesis-fips"),
        },
    ),
    Case(
        "endpoints for an account with dual-stack",
        env={
            **key_variables("ENV"),
            "AWS_ACCOUNT_ID": "123456789012",
            "AWS_USE_DUALSTACK_ENDPOINT": "true",
        },
        now={
            "dynamodb": account("123456789012.ddb", suffix="api.aws"),
            "kinesis": account("123456789012.data-kinesis", suffix="api.aws"),
        },
    ),
    Case(
        "endpoints for an account in aws-cn",
        env={**key_variables("ENV"), "AWS_ACCOUNT_ID": "123456789012"},
        region="cn-north-1",
        now={
            "dynamodb": account("123456789012.ddb", "cn-north-1", "amazonaws.com.cn"),
            "kinesis": account("123456789012.data-kinesis", "cn-north-1", "amazonaws.com.cn"),
        },
    ),
    Case(
        "endpoints for an account in an isolated partition",
        env={**key_variables("ENV"), "AWS_ACCOUNT_ID": "123456789012"},
        region="us-isob-east-1",
        now={
            "dynamodb": "https://dynamodb.us-isob-east-1.sc2s.sgov.gov",
            "kinesis": "https://kinesis.us-isob-east-1.sc2s.sgov.gov",
        },
    ),
    Case(
        "endpoints of settings before those for an account",
        env={
            **key_variables("ENV"),
            "AWS_ACCOUNT_ID": "123456789012",
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        },
        now={service: "http://127.0.0.1:1" for service in ("dynamodb", "kinesis", "sts")},
    ),
]
