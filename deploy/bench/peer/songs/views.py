from rest_framework.generics import ListAPIView

from .models import TenantSong
from .pagination import Pages
from .serializers import TenantSongSerializer


class TenantSongs(ListAPIView):
    """The approved songs on the list of the caller's tenant, newest first."""

    serializer_class = TenantSongSerializer
    pagination_class = Pages

    def get_queryset(self):
        links = TenantSong.objects.filter(tenant_id=self.request.user.tenant_id, deleted_at=None, is_active=True)
        return links.select_related("song__genre").order_by("-created_at", "-id")
