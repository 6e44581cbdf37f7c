from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

BATCH_MODE_ALL_OR_NOTHING: BatchMode
BATCH_MODE_CONTINUE: BatchMode
BATCH_MODE_UNSPECIFIED: BatchMode
DESCRIPTOR: _descriptor.FileDescriptor
OPERATION_GENERATION: Operation
OPERATION_REFUND: Operation
OPERATION_REGENERATION: Operation
OPERATION_UNSPECIFIED: Operation
RESERVATION_STATE_COMMITTED: ReservationState
RESERVATION_STATE_DISPATCHED: ReservationState
RESERVATION_STATE_EXPIRED: ReservationState
RESERVATION_STATE_HELD: ReservationState
RESERVATION_STATE_REFUSED: ReservationState
RESERVATION_STATE_RELEASED: ReservationState
RESERVATION_STATE_UNRESOLVED: ReservationState
RESERVATION_STATE_UNSPECIFIED: ReservationState
RESERVE_MODE_BEST_EFFORT: ReserveMode
RESERVE_MODE_CHECK_ONLY: ReserveMode
RESERVE_MODE_NORMAL: ReserveMode
RESERVE_MODE_UNSPECIFIED: ReserveMode

class BatchError(_message.Message):
    __slots__ = ["code", "field", "message"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    field: str
    message: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., field: _Optional[str] = ...) -> None: ...

class BatchReserveCreditsRequest(_message.Message):
    __slots__ = ["mode", "requests"]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    mode: BatchMode
    requests: _containers.RepeatedCompositeFieldContainer[ReserveCreditsRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[ReserveCreditsRequest, _Mapping]]] = ..., mode: _Optional[_Union[BatchMode, str]] = ...) -> None: ...

class BatchReserveCreditsResponse(_message.Message):
    __slots__ = ["results"]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchReserveCreditsResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchReserveCreditsResult, _Mapping]]] = ...) -> None: ...

class BatchReserveCreditsResult(_message.Message):
    __slots__ = ["error", "response"]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    error: BatchError
    response: ReserveCreditsResponse
    def __init__(self, response: _Optional[_Union[ReserveCreditsResponse, _Mapping]] = ..., error: _Optional[_Union[BatchError, _Mapping]] = ...) -> None: ...

class BatchSettleReservationsRequest(_message.Message):
    __slots__ = ["mode", "settlements"]
    MODE_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENTS_FIELD_NUMBER: _ClassVar[int]
    mode: BatchMode
    settlements: _containers.RepeatedCompositeFieldContainer[ReservationSettlement]
    def __init__(self, settlements: _Optional[_Iterable[_Union[ReservationSettlement, _Mapping]]] = ..., mode: _Optional[_Union[BatchMode, str]] = ...) -> None: ...

class BatchSettleReservationsResponse(_message.Message):
    __slots__ = ["results"]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchSettleReservationsResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchSettleReservationsResult, _Mapping]]] = ...) -> None: ...

class BatchSettleReservationsResult(_message.Message):
    __slots__ = ["commit", "dispatch", "error", "extend", "release"]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    EXTEND_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    commit: CommitReservationResponse
    dispatch: DispatchReservationResponse
    error: BatchError
    extend: ExtendReservationResponse
    release: ReleaseReservationResponse
    def __init__(self, dispatch: _Optional[_Union[DispatchReservationResponse, _Mapping]] = ..., commit: _Optional[_Union[CommitReservationResponse, _Mapping]] = ..., release: _Optional[_Union[ReleaseReservationResponse, _Mapping]] = ..., extend: _Optional[_Union[ExtendReservationResponse, _Mapping]] = ..., error: _Optional[_Union[BatchError, _Mapping]] = ...) -> None: ...

class CommitReservationRequest(_message.Message):
    __slots__ = ["allow_overrun", "commit_id", "credits", "final", "reservation_id", "user_id"]
    ALLOW_OVERRUN_FIELD_NUMBER: _ClassVar[int]
    COMMIT_ID_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    allow_overrun: bool
    commit_id: str
    credits: int
    final: bool
    reservation_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., credits: _Optional[int] = ..., commit_id: _Optional[str] = ..., final: bool = ..., allow_overrun: bool = ...) -> None: ...

class CommitReservationResponse(_message.Message):
    __slots__ = ["committed", "late", "overrun", "released", "remaining", "replayed", "reservation", "usage"]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    OVERRUN_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    committed: int
    late: bool
    overrun: int
    released: int
    remaining: int
    replayed: bool
    reservation: Reservation
    usage: CreditUsage
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ..., committed: _Optional[int] = ..., released: _Optional[int] = ..., remaining: _Optional[int] = ..., usage: _Optional[_Union[CreditUsage, _Mapping]] = ..., replayed: bool = ..., late: bool = ..., overrun: _Optional[int] = ...) -> None: ...

class CreditUsage(_message.Message):
    __slots__ = ["annual_budget", "generation", "held", "month", "monthly_held", "monthly_soft_limit", "monthly_used", "refund", "regeneration", "remaining_annual", "remaining_monthly", "soft_limit_passed", "total_used", "year"]
    ANNUAL_BUDGET_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_HELD_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_SOFT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_USED_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    REFUND_FIELD_NUMBER: _ClassVar[int]
    REGENERATION_FIELD_NUMBER: _ClassVar[int]
    REMAINING_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    REMAINING_MONTHLY_FIELD_NUMBER: _ClassVar[int]
    SOFT_LIMIT_PASSED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_USED_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    annual_budget: int
    generation: int
    held: int
    month: int
    monthly_held: int
    monthly_soft_limit: int
    monthly_used: int
    refund: int
    regeneration: int
    remaining_annual: int
    remaining_monthly: int
    soft_limit_passed: bool
    total_used: int
    year: int
    def __init__(self, total_used: _Optional[int] = ..., monthly_used: _Optional[int] = ..., annual_budget: _Optional[int] = ..., monthly_soft_limit: _Optional[int] = ..., remaining_annual: _Optional[int] = ..., remaining_monthly: _Optional[int] = ..., year: _Optional[int] = ..., month: _Optional[int] = ..., generation: _Optional[int] = ..., regeneration: _Optional[int] = ..., refund: _Optional[int] = ..., held: _Optional[int] = ..., monthly_held: _Optional[int] = ..., soft_limit_passed: bool = ...) -> None: ...

class CreditUsageEntry(_message.Message):
    __slots__ = ["balance_after", "balance_before", "created_at", "credits", "entry_id", "late", "mockup_id", "month", "operation", "overrun", "refunded_entry_id", "reservation_id", "sequence", "user_id", "year"]
    BALANCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    BALANCE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OVERRUN_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    balance_after: int
    balance_before: int
    created_at: _timestamp_pb2.Timestamp
    credits: int
    entry_id: str
    late: bool
    mockup_id: str
    month: int
    operation: Operation
    overrun: int
    refunded_entry_id: str
    reservation_id: str
    sequence: int
    user_id: str
    year: int
    def __init__(self, entry_id: _Optional[str] = ..., user_id: _Optional[str] = ..., sequence: _Optional[int] = ..., credits: _Optional[int] = ..., operation: _Optional[_Union[Operation, str]] = ..., balance_before: _Optional[int] = ..., balance_after: _Optional[int] = ..., year: _Optional[int] = ..., month: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., mockup_id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., late: bool = ..., overrun: _Optional[int] = ..., refunded_entry_id: _Optional[str] = ...) -> None: ...

class DispatchReservationRequest(_message.Message):
    __slots__ = ["reservation_id", "time_to_live_seconds", "user_id"]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_LIVE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    time_to_live_seconds: int
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., time_to_live_seconds: _Optional[int] = ...) -> None: ...

class DispatchReservationResponse(_message.Message):
    __slots__ = ["replayed", "reservation"]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    replayed: bool
    reservation: Reservation
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ..., replayed: bool = ...) -> None: ...

class ExportCreditUsageRequest(_message.Message):
    __slots__ = ["month", "resume_token", "user_id", "year"]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    month: int
    resume_token: str
    user_id: str
    year: int
    def __init__(self, user_id: _Optional[str] = ..., year: _Optional[int] = ..., resume_token: _Optional[str] = ..., month: _Optional[int] = ...) -> None: ...

class ExportCreditUsageResponse(_message.Message):
    __slots__ = ["entries", "resume_token"]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[CreditUsageEntry]
    resume_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[CreditUsageEntry, _Mapping]]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class ExtendReservationRequest(_message.Message):
    __slots__ = ["reservation_id", "time_to_live_seconds", "user_id"]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_LIVE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    time_to_live_seconds: int
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., time_to_live_seconds: _Optional[int] = ...) -> None: ...

class ExtendReservationResponse(_message.Message):
    __slots__ = ["reservation"]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    reservation: Reservation
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ...) -> None: ...

class GetCreditUsageRequest(_message.Message):
    __slots__ = ["month", "user_id", "year"]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    month: int
    user_id: str
    year: int
    def __init__(self, user_id: _Optional[str] = ..., year: _Optional[int] = ..., month: _Optional[int] = ...) -> None: ...

class GetCreditUsageResponse(_message.Message):
    __slots__ = ["annual_budget", "generation", "held", "month", "monthly_held", "monthly_soft_limit", "monthly_used", "refund", "regeneration", "remaining_annual", "remaining_monthly", "soft_limit_passed", "total_used", "year"]
    ANNUAL_BUDGET_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_HELD_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_SOFT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_USED_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    REFUND_FIELD_NUMBER: _ClassVar[int]
    REGENERATION_FIELD_NUMBER: _ClassVar[int]
    REMAINING_ANNUAL_FIELD_NUMBER: _ClassVar[int]
    REMAINING_MONTHLY_FIELD_NUMBER: _ClassVar[int]
    SOFT_LIMIT_PASSED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_USED_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    annual_budget: int
    generation: int
    held: int
    month: int
    monthly_held: int
    monthly_soft_limit: int
    monthly_used: int
    refund: int
    regeneration: int
    remaining_annual: int
    remaining_monthly: int
    soft_limit_passed: bool
    total_used: int
    year: int
    def __init__(self, total_used: _Optional[int] = ..., monthly_used: _Optional[int] = ..., annual_budget: _Optional[int] = ..., monthly_soft_limit: _Optional[int] = ..., remaining_annual: _Optional[int] = ..., remaining_monthly: _Optional[int] = ..., year: _Optional[int] = ..., month: _Optional[int] = ..., generation: _Optional[int] = ..., regeneration: _Optional[int] = ..., refund: _Optional[int] = ..., held: _Optional[int] = ..., monthly_held: _Optional[int] = ..., soft_limit_passed: bool = ...) -> None: ...

class GetReservationRequest(_message.Message):
    __slots__ = ["reservation_id", "user_id"]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., reservation_id: _Optional[str] = ...) -> None: ...

class GetReservationResponse(_message.Message):
    __slots__ = ["reservation"]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    reservation: Reservation
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ...) -> None: ...

class ListCreditUsageRequest(_message.Message):
    __slots__ = ["month", "page_size", "page_token", "user_id", "year"]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    month: int
    page_size: int
    page_token: str
    user_id: str
    year: int
    def __init__(self, user_id: _Optional[str] = ..., year: _Optional[int] = ..., month: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCreditUsageResponse(_message.Message):
    __slots__ = ["entries", "next_page_token"]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[CreditUsageEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[CreditUsageEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListReservationsRequest(_message.Message):
    __slots__ = ["group_id", "mockup_id", "page_size", "page_token", "states", "user_id"]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    mockup_id: str
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[ReservationState]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., states: _Optional[_Iterable[_Union[ReservationState, str]]] = ..., group_id: _Optional[str] = ..., mockup_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReservationsResponse(_message.Message):
    __slots__ = ["next_page_token", "reservations"]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    next_page_token: str
    reservations: _containers.RepeatedCompositeFieldContainer[Reservation]
    def __init__(self, reservations: _Optional[_Iterable[_Union[Reservation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RefundCreditsRequest(_message.Message):
    __slots__ = ["credits", "entry_id", "refund_id", "user_id"]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    credits: int
    entry_id: str
    refund_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., refund_id: _Optional[str] = ..., entry_id: _Optional[str] = ..., credits: _Optional[int] = ...) -> None: ...

class RefundCreditsResponse(_message.Message):
    __slots__ = ["entry", "refunded", "remaining", "replayed", "usage"]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    entry: CreditUsageEntry
    refunded: int
    remaining: int
    replayed: bool
    usage: CreditUsage
    def __init__(self, entry: _Optional[_Union[CreditUsageEntry, _Mapping]] = ..., refunded: _Optional[int] = ..., remaining: _Optional[int] = ..., usage: _Optional[_Union[CreditUsage, _Mapping]] = ..., replayed: bool = ...) -> None: ...

class ReleaseReservationRequest(_message.Message):
    __slots__ = ["group_id", "reservation_id", "user_id"]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    reservation_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., group_id: _Optional[str] = ...) -> None: ...

class ReleaseReservationResponse(_message.Message):
    __slots__ = ["released", "remaining", "replayed", "reservation", "reservations", "usage"]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    released: int
    remaining: int
    replayed: bool
    reservation: Reservation
    reservations: int
    usage: CreditUsage
    def __init__(self, reservation: _Optional[_Union[Reservation, _Mapping]] = ..., released: _Optional[int] = ..., remaining: _Optional[int] = ..., usage: _Optional[_Union[CreditUsage, _Mapping]] = ..., replayed: bool = ..., reservations: _Optional[int] = ...) -> None: ...

class Reservation(_message.Message):
    __slots__ = ["commit_id", "committed", "created_at", "credits", "dispatched_at", "expires_at", "granted", "group_id", "held", "late", "mockup_id", "month", "operation", "overrun", "reservation_id", "settled_at", "state", "user_id", "year"]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    COMMIT_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    DISPATCHED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OVERRUN_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    SETTLED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    commit_id: str
    committed: int
    created_at: _timestamp_pb2.Timestamp
    credits: int
    dispatched_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    granted: int
    group_id: str
    held: int
    late: bool
    mockup_id: str
    month: int
    operation: Operation
    overrun: int
    reservation_id: str
    settled_at: _timestamp_pb2.Timestamp
    state: ReservationState
    user_id: str
    year: int
    def __init__(self, user_id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., state: _Optional[_Union[ReservationState, str]] = ..., credits: _Optional[int] = ..., held: _Optional[int] = ..., committed: _Optional[int] = ..., operation: _Optional[_Union[Operation, str]] = ..., year: _Optional[int] = ..., month: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., settled_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., mockup_id: _Optional[str] = ..., commit_id: _Optional[str] = ..., late: bool = ..., granted: _Optional[int] = ..., overrun: _Optional[int] = ..., group_id: _Optional[str] = ..., dispatched_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReservationSettlement(_message.Message):
    __slots__ = ["commit", "dispatch", "extend", "release"]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_FIELD_NUMBER: _ClassVar[int]
    EXTEND_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    commit: CommitReservationRequest
    dispatch: DispatchReservationRequest
    extend: ExtendReservationRequest
    release: ReleaseReservationRequest
    def __init__(self, dispatch: _Optional[_Union[DispatchReservationRequest, _Mapping]] = ..., commit: _Optional[_Union[CommitReservationRequest, _Mapping]] = ..., release: _Optional[_Union[ReleaseReservationRequest, _Mapping]] = ..., extend: _Optional[_Union[ExtendReservationRequest, _Mapping]] = ...) -> None: ...

class ReserveCreditsRequest(_message.Message):
    __slots__ = ["credits", "group_id", "mockup_id", "mode", "operation", "reservation_id", "time_to_live_seconds", "user_id"]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    MOCKUP_ID_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_LIVE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    credits: int
    group_id: str
    mockup_id: str
    mode: ReserveMode
    operation: Operation
    reservation_id: str
    time_to_live_seconds: int
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., credits: _Optional[int] = ..., reservation_id: _Optional[str] = ..., operation: _Optional[_Union[Operation, str]] = ..., mode: _Optional[_Union[ReserveMode, str]] = ..., time_to_live_seconds: _Optional[int] = ..., mockup_id: _Optional[str] = ..., group_id: _Optional[str] = ...) -> None: ...

class ReserveCreditsResponse(_message.Message):
    __slots__ = ["granted", "message", "remaining", "replayed", "reservation", "success", "usage"]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    granted: int
    message: str
    remaining: int
    replayed: bool
    reservation: Reservation
    success: bool
    usage: CreditUsage
    def __init__(self, success: bool = ..., remaining: _Optional[int] = ..., message: _Optional[str] = ..., reservation: _Optional[_Union[Reservation, _Mapping]] = ..., usage: _Optional[_Union[CreditUsage, _Mapping]] = ..., replayed: bool = ..., granted: _Optional[int] = ...) -> None: ...

class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ReserveMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ReservationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class BatchMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
