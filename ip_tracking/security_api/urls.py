"""The review desk for programs: `path("api/v1/security/", include("ip_tracking.security_api.urls"))`."""

from __future__ import annotations

from django.urls import path

from ip_tracking.security_api import acts, cases, export

app_name = "security"
urlpatterns = [
    path("cases/", cases.CaseListView.as_view(), name="case-list"),
    path("cases/bulk/", acts.BulkView.as_view(), name="case-bulk"),
    path("cases/export.csv", export.CsvExportView.as_view(), name="case-export-csv"),
    path("cases/export.json", export.JsonExportView.as_view(), name="case-export-json"),
    path("cases/<int:pk>/", cases.CaseView.as_view(), name="case"),
    path("cases/<int:pk>/events/", cases.EventListView.as_view(), name="case-events"),
    path("cases/<int:pk>/timeline/", cases.TimelineView.as_view(), name="case-timeline"),
    path("cases/<int:pk>/history/", cases.HistoryView.as_view(), name="case-history"),
    path("cases/<int:pk>/assign/", acts.AssignView.as_view(), name="case-assign"),
    path("cases/<int:pk>/comment/", acts.CommentView.as_view(), name="case-comment"),
    path("cases/<int:pk>/snooze/", acts.SnoozeView.as_view(), name="case-snooze"),
    path("cases/<int:pk>/reopen/", acts.ReopenView.as_view(), name="case-reopen"),
    path("cases/<int:pk>/judge/", acts.JudgeView.as_view(), name="case-judge"),
    path("cases/<int:pk>/block/", acts.BlockView.as_view(), name="case-block"),
    path("cases/<int:pk>/unblock/", acts.UnblockView.as_view(), name="case-unblock"),
    path("cases/<int:pk>/allow/", acts.AllowView.as_view(), name="case-allow"),
    path("batches/<uuid:batch>/undo/", acts.UndoView.as_view(), name="batch-undo"),
]
