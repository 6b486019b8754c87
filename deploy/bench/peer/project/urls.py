from django.urls import path

from songs.views import TenantSongs

urlpatterns = [path("api/v1/tenant/songs/", TenantSongs.as_view())]
