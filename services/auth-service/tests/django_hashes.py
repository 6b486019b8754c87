"""Prints the password hashes that `src/domain/password_hashes.rs` verifies in its tests, made by Django itself:
`pip install django argon2-cffi && python services/auth-service/tests/django_hashes.py`. They were made with Django 5.2.19.
Django 6.0 has the same hasher with 1,200,000 rounds."""

import django
from django.conf import settings

HASHERS = ["PBKDF2PasswordHasher", "Argon2PasswordHasher"]
settings.configure(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in HASHERS])
django.setup()

from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password  # noqa: E402

PASSWORD = "correct horse battery"
print(django.get_version())
print(make_password(PASSWORD, salt="kq3mZ8yXw1bTn5Rd"))
print(PBKDF2PasswordHasher().encode(PASSWORD, "Zt6uPq0sLd9vHc2x", 1_200_000))
print(make_password(PASSWORD, hasher="argon2"))
