from bureau.celery import app

__all__ = ["app"]
