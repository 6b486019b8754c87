from uuid import UUID, uuid5

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from rest_framework_simplejwt.tokens import AccessToken

from songs.models import Member


class Command(BaseCommand):
    help = "Makes the schema `peer` and a user of a tenant; prints an access token of that user."

    def add_arguments(self, parser):
        parser.add_argument("tenant", type=UUID)

    def handle(self, tenant, **_):
        with connection.cursor() as cursor:
            # Without it migrate would make its tables in SongList's schema.
            cursor.execute("CREATE SCHEMA IF NOT EXISTS peer")
        call_command("migrate", run_syncdb=True, verbosity=0)
        member, _ = Member.objects.get_or_create(
            id=uuid5(tenant, "listener"), defaults={"tenant_id": tenant, "username": f"listener of {tenant}"}
        )
        self.stdout.write(str(AccessToken.for_user(member)))
