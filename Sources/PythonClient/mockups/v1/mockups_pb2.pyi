from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mockups.v1 import credits_pb2 as _credits_pb2
from mockups.v1 import scenes_pb2 as _scenes_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
GENERATION_FAILURE_INSUFFICIENT_CREDITS: GenerationFailure
GENERATION_FAILURE_UNKNOWN_ASSET: GenerationFailure
GENERATION_FAILURE_UNKNOWN_SCENE: GenerationFailure
GENERATION_FAILURE_UNSPECIFIED: GenerationFailure
MOCKUP_STATUS_APPROVED: MockupStatus
MOCKUP_STATUS_COMPLETED: MockupStatus
MOCKUP_STATUS_FAILED: MockupStatus
MOCKUP_STATUS_GENERATING: MockupStatus
MOCKUP_STATUS_PENDING: MockupStatus
MOCKUP_STATUS_REJECTED: MockupStatus
MOCKUP_STATUS_UNSPECIFIED: MockupStatus

class ApproveMockupRequest(_message.Message):
    __slots__ = ["mockup_id", "user_id"]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    mockup_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., mockup_id: _Optional[str] = ...) -> None: ...

class ApproveMockupResponse(_message.Message):
    __slots__ = ["mockup"]
    MOCKUP_FIELD_NUMBER: _ClassVar[int]
    mockup: Mockup
    def __init__(self, mockup: _Optional[_Union[Mockup, _Mapping]] = ...) -> None: ...

class ClaimMockupsRequest(_message.Message):
    __slots__ = ["count", "lease_seconds", "wait_seconds", "worker"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    count: int
    lease_seconds: int
    wait_seconds: int
    worker: str
    def __init__(self, worker: _Optional[str] = ..., count: _Optional[int] = ..., lease_seconds: _Optional[int] = ..., wait_seconds: _Optional[int] = ...) -> None: ...

class ClaimMockupsResponse(_message.Message):
    __slots__ = ["mockups"]
    MOCKUPS_FIELD_NUMBER: _ClassVar[int]
    mockups: _containers.RepeatedCompositeFieldContainer[ClaimedMockup]
    def __init__(self, mockups: _Optional[_Iterable[_Union[ClaimedMockup, _Mapping]]] = ...) -> None: ...

class ClaimedMockup(_message.Message):
    __slots__ = ["attempt", "attempts_left", "credits", "dm_template_id", "dm_template_url", "lease_expires_at", "mockup"]
    ATTEMPTS_LEFT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    DM_TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    DM_TEMPLATE_URL_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    attempts_left: int
    credits: int
    dm_template_id: str
    dm_template_url: str
    lease_expires_at: _timestamp_pb2.Timestamp
    mockup: Mockup
    def __init__(self, mockup: _Optional[_Union[Mockup, _Mapping]] = ..., attempt: _Optional[int] = ..., lease_expires_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., credits: _Optional[int] = ..., dm_template_id: _Optional[str] = ..., dm_template_url: _Optional[str] = ..., attempts_left: _Optional[int] = ...) -> None: ...

class CompleteMockupRequest(_message.Message):
    __slots__ = ["allow_overrun", "attempt", "credits", "dm_metadata_json", "dm_render_id", "file_key", "file_url", "mockup_id", "quality_score", "thumbnail_url", "user_id"]
    ALLOW_OVERRUN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    DM_METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    DM_RENDER_ID_FIELD_NUMBER: _ClassVar[int]
    FILE_KEY_FIELD_NUMBER: _ClassVar[int]
    FILE_URL_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    QUALITY_SCORE_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_URL_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    allow_overrun: bool
    attempt: int
    credits: int
    dm_metadata_json: str
    dm_render_id: str
    file_key: str
    file_url: str
    mockup_id: str
    quality_score: float
    thumbnail_url: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., mockup_id: _Optional[str] = ..., attempt: _Optional[int] = ..., file_url: _Optional[str] = ..., file_key: _Optional[str] = ..., thumbnail_url: _Optional[str] = ..., dm_render_id: _Optional[str] = ..., dm_metadata_json: _Optional[str] = ..., quality_score: _Optional[float] = ..., credits: _Optional[int] = ..., allow_overrun: bool = ...) -> None: ...

class CompleteMockupResponse(_message.Message):
    __slots__ = ["mockup", "replayed", "usage"]
    MOCKUP_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    mockup: Mockup
    replayed: bool
    usage: _credits_pb2.CreditUsage
    def __init__(self, mockup: _Optional[_Union[Mockup, _Mapping]] = ..., usage: _Optional[_Union[_credits_pb2.CreditUsage, _Mapping]] = ..., replayed: bool = ...) -> None: ...

class DeleteMockupRequest(_message.Message):
    __slots__ = ["mockup_id", "user_id"]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    mockup_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., mockup_id: _Optional[str] = ...) -> None: ...

class DeleteMockupResponse(_message.Message):
    __slots__ = ["deleted", "released"]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    released: int
    def __init__(self, deleted: bool = ..., released: _Optional[int] = ...) -> None: ...

class FailMockupRequest(_message.Message):
    __slots__ = ["attempt", "error_message", "may_be_charged", "may_retry", "mockup_id", "user_id"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MAY_BE_CHARGED_FIELD_NUMBER: _ClassVar[int]
    MAY_RETRY_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    error_message: str
    may_be_charged: bool
    may_retry: bool
    mockup_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., mockup_id: _Optional[str] = ..., attempt: _Optional[int] = ..., error_message: _Optional[str] = ..., may_retry: bool = ..., may_be_charged: bool = ...) -> None: ...

class FailMockupResponse(_message.Message):
    __slots__ = ["mockup", "replayed", "usage"]
    MOCKUP_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    mockup: Mockup
    replayed: bool
    usage: _credits_pb2.CreditUsage
    def __init__(self, mockup: _Optional[_Union[Mockup, _Mapping]] = ..., usage: _Optional[_Union[_credits_pb2.CreditUsage, _Mapping]] = ..., replayed: bool = ...) -> None: ...

class GenerateMockupsRequest(_message.Message):
    __slots__ = ["asset_ids", "credits_per_mockup", "quote_id", "request_id", "scenes", "skip_approval", "time_to_live_seconds", "user_id"]
    ASSET_IDS_FIELD_NUMBER: _ClassVar[int]
    CREDITS_PER_MOCKUP_FIELD_NUMBER: _ClassVar[int]
    QUOTE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCENES_FIELD_NUMBER: _ClassVar[int]
    SKIP_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_LIVE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    asset_ids: _containers.RepeatedScalarFieldContainer[str]
    credits_per_mockup: int
    quote_id: str
    request_id: str
    scenes: _containers.RepeatedScalarFieldContainer[str]
    skip_approval: bool
    time_to_live_seconds: int
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., request_id: _Optional[str] = ..., asset_ids: _Optional[_Iterable[str]] = ..., scenes: _Optional[_Iterable[str]] = ..., skip_approval: bool = ..., quote_id: _Optional[str] = ..., credits_per_mockup: _Optional[int] = ..., time_to_live_seconds: _Optional[int] = ...) -> None: ...

class GenerateMockupsResponse(_message.Message):
    __slots__ = ["replayed", "results", "usage"]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    replayed: bool
    results: _containers.RepeatedCompositeFieldContainer[MockupGenerationResult]
    usage: _credits_pb2.CreditUsage
    def __init__(self, results: _Optional[_Iterable[_Union[MockupGenerationResult, _Mapping]]] = ..., usage: _Optional[_Union[_credits_pb2.CreditUsage, _Mapping]] = ..., replayed: bool = ...) -> None: ...

class GetMockupRequest(_message.Message):
    __slots__ = ["mockup_id", "user_id"]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    mockup_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., mockup_id: _Optional[str] = ...) -> None: ...

class GetMockupResponse(_message.Message):
    __slots__ = ["mockup"]
    MOCKUP_FIELD_NUMBER: _ClassVar[int]
    mockup: Mockup
    def __init__(self, mockup: _Optional[_Union[Mockup, _Mapping]] = ...) -> None: ...

class HeartbeatMockupRequest(_message.Message):
    __slots__ = ["attempt", "lease_seconds", "mockup_id", "user_id"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    lease_seconds: int
    mockup_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., mockup_id: _Optional[str] = ..., attempt: _Optional[int] = ..., lease_seconds: _Optional[int] = ...) -> None: ...

class HeartbeatMockupResponse(_message.Message):
    __slots__ = ["lease_expires_at"]
    LEASE_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    lease_expires_at: _timestamp_pb2.Timestamp
    def __init__(self, lease_expires_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListMockupsRequest(_message.Message):
    __slots__ = ["asset_id", "page_size", "page_token", "quote_id", "scene", "status", "user_id"]
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    QUOTE_ID_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    asset_id: str
    page_size: int
    page_token: str
    quote_id: str
    scene: str
    status: MockupStatus
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., asset_id: _Optional[str] = ..., quote_id: _Optional[str] = ..., scene: _Optional[str] = ..., status: _Optional[_Union[MockupStatus, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMockupsResponse(_message.Message):
    __slots__ = ["mockups", "next_page_token"]
    MOCKUPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    mockups: _containers.RepeatedCompositeFieldContainer[Mockup]
    next_page_token: str
    def __init__(self, mockups: _Optional[_Iterable[_Union[Mockup, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Mockup(_message.Message):
    __slots__ = ["asset_id", "attempt", "created_at", "credits_used", "dm_metadata_json", "dm_render_id", "error_message", "file_key", "file_url", "mockup_id", "quality_score", "quote_id", "reservation_id", "scene", "scene_config", "status", "thumbnail_url", "total_impressions", "total_pins", "updated_at", "user_id"]
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CREDITS_USED_FIELD_NUMBER: _ClassVar[int]
    DM_METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    DM_RENDER_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FILE_KEY_FIELD_NUMBER: _ClassVar[int]
    FILE_URL_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    QUALITY_SCORE_FIELD_NUMBER: _ClassVar[int]
    QUOTE_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    SCENE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_URL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_IMPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PINS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    asset_id: str
    attempt: int
    created_at: _timestamp_pb2.Timestamp
    credits_used: int
    dm_metadata_json: str
    dm_render_id: str
    error_message: str
    file_key: str
    file_url: str
    mockup_id: str
    quality_score: float
    quote_id: str
    reservation_id: str
    scene: str
    scene_config: _scenes_pb2.SceneConfig
    status: MockupStatus
    thumbnail_url: str
    total_impressions: int
    total_pins: int
    updated_at: _timestamp_pb2.Timestamp
    user_id: str
    def __init__(self, mockup_id: _Optional[str] = ..., user_id: _Optional[str] = ..., asset_id: _Optional[str] = ..., quote_id: _Optional[str] = ..., scene: _Optional[str] = ..., scene_config: _Optional[_Union[_scenes_pb2.SceneConfig, _Mapping]] = ..., file_url: _Optional[str] = ..., file_key: _Optional[str] = ..., thumbnail_url: _Optional[str] = ..., dm_render_id: _Optional[str] = ..., dm_metadata_json: _Optional[str] = ..., credits_used: _Optional[int] = ..., quality_score: _Optional[float] = ..., status: _Optional[_Union[MockupStatus, str]] = ..., error_message: _Optional[str] = ..., total_pins: _Optional[int] = ..., total_impressions: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., attempt: _Optional[int] = ..., reservation_id: _Optional[str] = ...) -> None: ...

class MockupGenerationResult(_message.Message):
    __slots__ = ["asset_id", "credits_used", "error", "failure", "mockup_id", "reservation_id", "scene", "status", "success", "url"]
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    CREDITS_USED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    asset_id: str
    credits_used: int
    error: str
    failure: GenerationFailure
    mockup_id: str
    reservation_id: str
    scene: str
    status: MockupStatus
    success: bool
    url: str
    def __init__(self, mockup_id: _Optional[str] = ..., asset_id: _Optional[str] = ..., scene: _Optional[str] = ..., success: bool = ..., failure: _Optional[_Union[GenerationFailure, str]] = ..., error: _Optional[str] = ..., status: _Optional[_Union[MockupStatus, str]] = ..., url: _Optional[str] = ..., credits_used: _Optional[int] = ..., reservation_id: _Optional[str] = ...) -> None: ...

class PerformanceEntry(_message.Message):
    __slots__ = ["impressions", "mockup_id", "pins", "user_id"]
    IMPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    PINS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    impressions: int
    mockup_id: str
    pins: int
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., mockup_id: _Optional[str] = ..., pins: _Optional[int] = ..., impressions: _Optional[int] = ...) -> None: ...

class RecordPerformanceRequest(_message.Message):
    __slots__ = ["batch_id", "entries"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    entries: _containers.RepeatedCompositeFieldContainer[PerformanceEntry]
    def __init__(self, batch_id: _Optional[str] = ..., entries: _Optional[_Iterable[_Union[PerformanceEntry, _Mapping]]] = ...) -> None: ...

class RecordPerformanceResponse(_message.Message):
    __slots__ = ["counted", "refused", "replayed"]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    counted: int
    refused: _containers.RepeatedCompositeFieldContainer[RefusedEntry]
    replayed: bool
    def __init__(self, counted: _Optional[int] = ..., refused: _Optional[_Iterable[_Union[RefusedEntry, _Mapping]]] = ..., replayed: bool = ...) -> None: ...

class RefusedEntry(_message.Message):
    __slots__ = ["index", "reason"]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    index: int
    reason: str
    def __init__(self, index: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class RegenerateMockupRequest(_message.Message):
    __slots__ = ["credits", "mockup_id", "request_id", "skip_approval", "time_to_live_seconds", "user_id"]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SKIP_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_LIVE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    credits: int
    mockup_id: str
    request_id: str
    skip_approval: bool
    time_to_live_seconds: int
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., mockup_id: _Optional[str] = ..., request_id: _Optional[str] = ..., skip_approval: bool = ..., credits: _Optional[int] = ..., time_to_live_seconds: _Optional[int] = ...) -> None: ...

class RegenerateMockupResponse(_message.Message):
    __slots__ = ["message", "mockup", "remaining", "replayed", "success", "usage"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    message: str
    mockup: Mockup
    remaining: int
    replayed: bool
    success: bool
    usage: _credits_pb2.CreditUsage
    def __init__(self, success: bool = ..., remaining: _Optional[int] = ..., message: _Optional[str] = ..., mockup: _Optional[_Union[Mockup, _Mapping]] = ..., usage: _Optional[_Union[_credits_pb2.CreditUsage, _Mapping]] = ..., replayed: bool = ...) -> None: ...

class RejectMockupRequest(_message.Message):
    __slots__ = ["mockup_id", "reason", "user_id"]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    mockup_id: str
    reason: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., mockup_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RejectMockupResponse(_message.Message):
    __slots__ = ["mockup"]
    MOCKUP_FIELD_NUMBER: _ClassVar[int]
    mockup: Mockup
    def __init__(self, mockup: _Optional[_Union[Mockup, _Mapping]] = ...) -> None: ...

class StreamPerformanceRequest(_message.Message):
    __slots__ = ["batch_id", "entries"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    entries: _containers.RepeatedCompositeFieldContainer[PerformanceEntry]
    def __init__(self, batch_id: _Optional[str] = ..., entries: _Optional[_Iterable[_Union[PerformanceEntry, _Mapping]]] = ...) -> None: ...

class StreamPerformanceResponse(_message.Message):
    __slots__ = ["batches", "counted", "refusals", "refused", "replayed_batches"]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_BATCHES_FIELD_NUMBER: _ClassVar[int]
    batches: int
    counted: int
    refusals: _containers.RepeatedCompositeFieldContainer[StreamRefusal]
    refused: int
    replayed_batches: int
    def __init__(self, batches: _Optional[int] = ..., replayed_batches: _Optional[int] = ..., counted: _Optional[int] = ..., refused: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[StreamRefusal, _Mapping]]] = ...) -> None: ...

class StreamRefusal(_message.Message):
    __slots__ = ["batch_id", "index", "reason"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    index: int
    reason: str
    def __init__(self, batch_id: _Optional[str] = ..., index: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class WatchMockupsRequest(_message.Message):
    __slots__ = ["resume_token", "send_current", "user_id"]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SEND_CURRENT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    send_current: bool
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., resume_token: _Optional[str] = ..., send_current: bool = ...) -> None: ...

class WatchMockupsResponse(_message.Message):
    __slots__ = ["deleted_mockup_id", "mockup", "resume_token"]
    DELETED_MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    deleted_mockup_id: str
    mockup: Mockup
    resume_token: str
    def __init__(self, mockup: _Optional[_Union[Mockup, _Mapping]] = ..., deleted_mockup_id: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class MockupStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class GenerationFailure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
