from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class Member(AbstractBaseUser):
    """Who is signed in. simplejwt reads it from the database for every request, as it does by default."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    username = models.TextField(unique=True)
    is_active = models.BooleanField(default=True)

    objects = BaseUserManager()
    USERNAME_FIELD = "username"

    class Meta:
        db_table = "member"


# SongList's own tables, with the columns that the page needs and no others.
class Genre(models.Model):
    id = models.UUIDField(primary_key=True)
    name = models.TextField()

    class Meta:
        managed = False
        db_table = "genres"


class Song(models.Model):
    id = models.UUIDField(primary_key=True)
    # NULL: a GLOBAL song of the platform.
    tenant_id = models.UUIDField(null=True)
    title = models.TextField()
    artist = models.TextField()
    album = models.TextField()
    genre = models.ForeignKey(Genre, on_delete=models.PROTECT)
    duration = models.SmallIntegerField(null=True)
    release_year = models.SmallIntegerField(null=True)
    artwork = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "songs"


class TenantSong(models.Model):
    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    song = models.ForeignKey(Song, on_delete=models.PROTECT)
    is_active = models.BooleanField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "tenant_songs"
