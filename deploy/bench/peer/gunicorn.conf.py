"""One worker per core. Threads and uvicorn answered fewer requests with this page: it is bound by Python's CPU."""

import os

bind = os.environ.get("PEER_ADDR", "127.0.0.1:8100")
workers = 2
worker_class = "sync"
# Loaded before the fork, so that the workers share the memory of the code.
preload_app = True
# The heartbeat of the workers never waits for a disk.
worker_tmp_dir = "/dev/shm"
wsgi_app = "project.wsgi"
loglevel = "warning"
