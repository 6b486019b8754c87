"""What a Django project needs to serve one page of SongList's REST contract, tuned as in production."""

import os
from datetime import timedelta
from urllib.parse import unquote, urlsplit

_database = urlsplit(os.environ["PEER_DATABASE_URL"])

DEBUG = False
SECRET_KEY = "only signs the tokens of a measurement on loopback"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "project.urls"
USE_TZ = True
USE_I18N = False

# simplejwt and the user model need auth, which needs contenttypes. No sessions, no admin, no templates.
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "songs"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
AUTH_USER_MODEL = "songs.Member"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _database.hostname,
        "PORT": _database.port,
        "NAME": _database.path.lstrip("/"),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        # Django's default, a connection for each request, answers a third as many requests.
        "CONN_MAX_AGE": 600,
        "OPTIONS": {
            # Tables that Django migrates are made in the first schema, `peer`; those of SongList are read.
            "options": "-c search_path=peer,songlist,extensions -c jit=off -c random_page_cost=1.1",
        },
    }
}

REDIS_URL = os.environ["PEER_REDIS_URL"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["songs.throttle.PerUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
# HS256, simplejwt's default, costs less to verify than the Ed25519 of SongList. The token outlives the measurement.
SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(days=1)}
