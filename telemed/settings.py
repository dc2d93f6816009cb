"""Every setting of Telemed. Each environment variable is described in docs/configuration.md.

``TELEMED_MODE`` is ``development`` (the embedded default), ``test`` or ``production``; production
has no default for anything that would be unsafe, and fails at the start when it is missing.
"""

import zoneinfo
from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.conf.locale import LANG_INFO
from django.utils.translation import gettext_lazy as _

from telemed.lib.database_url import database
from telemed.lib.env import Env
from telemed.lib.logs import configuration

# Python would read the operating system's zone data first, and that may be years old: Morocco is
# at UTC+0 all year since 2026-09-20, which only tzdata 2026.3 and later know.
zoneinfo.reset_tzpath(to=[])
zoneinfo.ZoneInfo.clear_cache()  # of what was read before: Babel reads TZ's zone as it is imported

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
MODE = env.choice("TELEMED_MODE", ("development", "test", "production"), "development")
PRODUCTION = MODE == "production"
DEBUG = env.flag("DEBUG", False)
VAR_DIR = env.path("VAR_DIR", BASE_DIR / "var")

# --- secrets
if PRODUCTION:
    SECRET_KEY = env.required("SECRET_KEY", "it signs sessions and tickets")
    FIELD_KEYS = env.keys("FIELD_KEYS")
    INDEX_KEY = env.required("INDEX_KEY", "it blinds the search index of identifiers and phones")
    LINK_KEYS = env.keys("LINK_KEYS")
    AUDIT_KEY = env.required("AUDIT_KEY", "it authenticates the chain of audit events")
else:
    SECRET_KEY = env.text("SECRET_KEY", "development-only-secret-key-that-protects-nothing-at-all")
    FIELD_KEYS = env.keys("FIELD_KEYS") or {"dev": "development-only-field-key-protects-nothing"}
    INDEX_KEY = env.text("INDEX_KEY", "development-only-index-key-protects-nothing")
    LINK_KEYS = env.keys("LINK_KEYS") or {"dev": "development-only-link-key-protects-nothing"}
    AUDIT_KEY = env.text("AUDIT_KEY", "development-only-audit-key-protects-nothing")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")

# --- where it is reached
PUBLIC_URL = env.url("PUBLIC_URL", "http://localhost:8000", schemes=("http", "https")).rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", () if PRODUCTION else ("*",))
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 1, at_most=5)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- apps
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "telemed.lib.apps.StaticFiles",
    "django.forms",
    "channels",
    "django_htmx",
    "csp",
    "phonenumber_field",
    "heroicons",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "telemed.lib",
    "telemed.audit",
    "telemed.messaging",
    "telemed.accounts",
    "scheduling",
    "consultations",
    "telemed.records",
    "telemed.desk",
]
MIDDLEWARE = [
    "telemed.lib.request_id.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "telemed.lib.request_id.PersonId",
    "telemed.lib.browser_rules.BrowserRules",
    "telemed.lib.language.StoredLanguageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "telemed.accounts.sessions.SessionLimits",
    "telemed.errors.LostCache",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
CSRF_FAILURE_VIEW = "telemed.errors.csrf_failure"
ROOT_URLCONF = "telemed.urls"
ASGI_APPLICATION = "telemed.asgi.web"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "telemed.accounts.passkeys.of_request",
            ],
        },
    }
]
# Every form is drawn by templates/django/forms/.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- data
DATABASES = {"default": database(env.text("DATABASE_URL", f"sqlite:///{VAR_DIR}/telemed.sqlite3"))}
REDIS_URL = env.url("REDIS_URL", "redis://127.0.0.1:6379/0", schemes=("redis", "rediss", "unix"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 5, "socket_connect_timeout": 5},  # seconds
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "telemed.lib.channel_layer.PatientChannelLayer",
        "CONFIG": {
            # Channels waits up to 5 s for a hint; redis-py gives up after 5 s unless told to wait.
            "hosts": [{"address": REDIS_URL, "socket_timeout": 15}],
            "capacity": 500,
            "expiry": 10,
        },
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CLOCK_OFFSET_FILE: Path | None = (
    None if PRODUCTION else env.path("CLOCK_OFFSET_FILE", VAR_DIR / "clock-offset")
)

# --- people and sessions
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "telemed.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email", "phone"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "telemed.accounts.sign_up.SignUp"
ACCOUNT_FORMS = {"request_login_code": "telemed.accounts.forms.CodeByEmailForm"}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before the address or the number changes
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds that a repeated password counts for
ACCOUNT_SESSION_REMEMBER = False  # the cookie goes with the browser: many phones are shared
MFA_ADAPTER = "telemed.accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # localhost without https
SECOND_FACTOR_REQUIRED = env.flag("SECOND_FACTOR_REQUIRED", PRODUCTION)  # of professionals
SESSION_IDLE = timedelta(minutes=env.integer("SESSION_IDLE_MINUTES", 60, at_least=5))
SESSION_ABSOLUTE = timedelta(hours=env.integer("SESSION_ABSOLUTE_HOURS", 12, at_least=1))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# --- languages and time
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("ar", _("Arabic")), ("en", _("English"))]
# Tamazight is prepared (locale/zgh) and joins LANGUAGES once its texts are complete.
LANG_INFO["zgh"] = {
    "bidi": False,
    "code": "zgh",
    "name": "Standard Moroccan Tamazight",
    "name_local": "ⵜⴰⵎⴰⵣⵉⵖⵜ",
}
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.text("SITE_TIME_ZONE", "Africa/Casablanca")

# --- files
STATIC_URL = "static/"
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [BASE_DIR / "telemed" / "static"]
CLIPS_DIR = env.path("CLIPS_DIR", VAR_DIR / "clips")
if CLIPS_DIR.is_dir():
    STATICFILES_DIRS.append(("clips", CLIPS_DIR))
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "telemed.lib.staticfiles.ModuleManifestStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = MODE == "test"

# --- mail and SMS: shown in the site in the embedded default
EMAIL_HOST = (
    env.required("EMAIL_HOST", "sign-in codes and reminders go by mail")
    if PRODUCTION
    else env.text("EMAIL_HOST")
)
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if EMAIL_HOST
    else "telemed.messaging.backends.ShownEmailBackend"
)
EMAIL_PORT = env.integer("EMAIL_PORT", 587, at_least=1, at_most=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True)
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Telemed <telemed@localhost>")
SMS_PROVIDER = env.choice("SMS_PROVIDER", ("shown", "http"), "http" if PRODUCTION else "shown")
SMS_HTTP_URL = env.url("SMS_HTTP_URL", "", schemes=("https", "http"))
SMS_HTTP_TOKEN = env.text("SMS_HTTP_TOKEN")
SMS_SENDER = env.text("SMS_SENDER", "Telemed")
SMS_HTTP_BODY = env.text("SMS_HTTP_BODY", '{"to": "{to}", "from": "{sender}", "text": "{text}"}')

# --- what a browser may load
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION

# --- the law, as far as it is a number
MAJORITY_AGE = env.integer("MAJORITY_AGE", 18, at_least=1, at_most=30)

# --- how browsers reach the media process
MEDIA_PROCESS = env.text("MEDIA_PROCESS", "m1")
MEDIA_BIND = env.words("MEDIA_BIND")
MEDIA_PORT = env.integer("MEDIA_PORT", 0, at_most=65535)
MEDIA_ADVERTISED = env.words("MEDIA_ADVERTISED")
MEDIA_MAX_PEOPLE = env.integer("MEDIA_MAX_PEOPLE", 200, at_least=2)
METRICS_ADDRESS = env.address("METRICS_ADDRESS")  # of a media process; None serves no figures
METRICS_GUARDED = env.flag("METRICS_GUARDED")
STUN_URLS = env.words("STUN_URLS")
TURN_URLS = env.words("TURN_URLS")
TURN_SECRET = (
    env.required("TURN_SECRET", "coturn checks the credentials of TURN_URLS with it")
    if TURN_URLS
    else ""
)

# --- recordings, kept with the consultation for a period of their own
RECORDINGS_DIR = env.path("RECORDINGS_DIR", VAR_DIR / "recordings")
RECORDING_KEPT = timedelta(days=env.integer("RETENTION_RECORDING_DAYS", 365, at_least=1))

# --- pictures that were asked for in a visit, kept with the patient's file
PICTURES_DIR = env.path("PICTURES_DIR", VAR_DIR / "pictures")

# --- booking
BOOKING_HOLD = timedelta(minutes=env.integer("BOOKING_HOLD_MINUTES", 5, at_least=1, at_most=60))
# Until how long before the start the patient's side moves or cancels without a telephone call.
BOOKING_CUT_OFF = timedelta(minutes=env.integer("BOOKING_CUT_OFF_MINUTES", 120))

# --- logs
LOGGING = configuration(
    production=PRODUCTION,
    level=env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
)

# --- retention periods by class (telemed/lib/retention.py)
RETENTION = {
    "clinical": timedelta(days=env.integer("RETENTION_CLINICAL_DAYS", 20 * 365, at_least=365)),
    "administrative": timedelta(
        days=env.integer("RETENTION_ADMINISTRATIVE_DAYS", 10 * 365, at_least=365)
    ),
    "message": timedelta(days=env.integer("RETENTION_MESSAGE_DAYS", 90, at_least=1)),
    "technical": timedelta(days=env.integer("RETENTION_TECHNICAL_DAYS", 30, at_least=1)),
    "guest": timedelta(days=env.integer("RETENTION_GUEST_DAYS", 30, at_least=1)),
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = "django.test.runner.DiscoverRunner"
