from rest_framework import serializers

from .models import TenantSong


class TenantSongSerializer(serializers.ModelSerializer):
    """The fields of SongList's own view, in its order."""

    title = serializers.CharField(source="song.title")
    artist = serializers.CharField(source="song.artist")
    album = serializers.CharField(source="song.album")
    genre = serializers.CharField(source="song.genre.name")
    genre_id = serializers.UUIDField(source="song.genre_id")
    duration = serializers.IntegerField(source="song.duration")
    release_year = serializers.IntegerField(source="song.release_year")
    artwork = serializers.CharField(source="song.artwork")
    visibility = serializers.SerializerMethodField()

    class Meta:
        model = TenantSong
        fields = (
            "id", "song_id", "title", "artist", "album", "genre", "genre_id", "duration", "release_year", "artwork",
            "visibility", "is_active", "created_at", "updated_at",
        )
        read_only_fields = fields

    def get_visibility(self, link):
        return "GLOBAL" if link.song.tenant_id is None else "TENANT"
