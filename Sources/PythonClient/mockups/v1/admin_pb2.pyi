from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mockups.v1 import credits_pb2 as _credits_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
USAGE_GRANULARITY_DAY: UsageGranularity
USAGE_GRANULARITY_MONTH: UsageGranularity
USAGE_GRANULARITY_UNSPECIFIED: UsageGranularity
USAGE_ORDER_AVAILABLE: UsageOrder
USAGE_ORDER_HELD: UsageOrder
USAGE_ORDER_MONTHLY_USED: UsageOrder
USAGE_ORDER_UNSPECIFIED: UsageOrder
USAGE_ORDER_USED: UsageOrder

class Alert(_message.Message):
    __slots__ = ["alert_id", "created_at", "credits", "limit", "month", "threshold", "user_id", "user_label", "year"]
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_LABEL_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    alert_id: int
    created_at: _timestamp_pb2.Timestamp
    credits: int
    limit: int
    month: int
    threshold: int
    user_id: str
    user_label: str
    year: int
    def __init__(self, alert_id: _Optional[int] = ..., user_id: _Optional[str] = ..., user_label: _Optional[str] = ..., threshold: _Optional[int] = ..., year: _Optional[int] = ..., month: _Optional[int] = ..., credits: _Optional[int] = ..., limit: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CivilDate(_message.Message):
    __slots__ = ["day", "month", "year"]
    DAY_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    day: int
    month: int
    year: int
    def __init__(self, year: _Optional[int] = ..., month: _Optional[int] = ..., day: _Optional[int] = ...) -> None: ...

class Discrepancy(_message.Message):
    __slots__ = ["description", "user_id", "year"]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    description: str
    user_id: str
    year: int
    def __init__(self, user_id: _Optional[str] = ..., year: _Optional[int] = ..., description: _Optional[str] = ...) -> None: ...

class ExportLedgerRequest(_message.Message):
    __slots__ = ["month", "resume_token", "year"]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    month: int
    resume_token: str
    year: int
    def __init__(self, year: _Optional[int] = ..., month: _Optional[int] = ..., resume_token: _Optional[str] = ...) -> None: ...

class ExportLedgerResponse(_message.Message):
    __slots__ = ["entries", "resume_token"]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_credits_pb2.CreditUsageEntry]
    resume_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[_credits_pb2.CreditUsageEntry, _Mapping]]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class FindUsersRequest(_message.Message):
    __slots__ = ["label"]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    label: str
    def __init__(self, label: _Optional[str] = ...) -> None: ...

class FindUsersResponse(_message.Message):
    __slots__ = ["user_ids"]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ["calls_in_flight", "database_version", "now", "open_connections", "pending_mockups", "process_id", "schema_version", "started_at", "unresolved_reservations", "version"]
    CALLS_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    DATABASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    OPEN_CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    PENDING_MOCKUPS_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    UNRESOLVED_RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    calls_in_flight: int
    database_version: str
    now: _timestamp_pb2.Timestamp
    open_connections: int
    pending_mockups: int
    process_id: int
    schema_version: int
    started_at: _timestamp_pb2.Timestamp
    unresolved_reservations: int
    version: str
    def __init__(self, version: _Optional[str] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., now: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., process_id: _Optional[int] = ..., schema_version: _Optional[int] = ..., database_version: _Optional[str] = ..., open_connections: _Optional[int] = ..., calls_in_flight: _Optional[int] = ..., unresolved_reservations: _Optional[int] = ..., pending_mockups: _Optional[int] = ...) -> None: ...

class GetUsageHistoryRequest(_message.Message):
    __slots__ = ["first_day", "granularity", "last_day", "user_id"]
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    GRANULARITY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    first_day: CivilDate
    granularity: UsageGranularity
    last_day: CivilDate
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., granularity: _Optional[_Union[UsageGranularity, str]] = ..., first_day: _Optional[_Union[CivilDate, _Mapping]] = ..., last_day: _Optional[_Union[CivilDate, _Mapping]] = ...) -> None: ...

class GetUsageHistoryResponse(_message.Message):
    __slots__ = ["intervals"]
    INTERVALS_FIELD_NUMBER: _ClassVar[int]
    intervals: _containers.RepeatedCompositeFieldContainer[UsageInterval]
    def __init__(self, intervals: _Optional[_Iterable[_Union[UsageInterval, _Mapping]]] = ...) -> None: ...

class GetUsageReportRequest(_message.Message):
    __slots__ = ["active_only", "available_at_most", "month", "order", "page_size", "page_token", "soft_limit_passed_only", "user_id", "year"]
    ACTIVE_ONLY_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_AT_MOST_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SOFT_LIMIT_PASSED_ONLY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    active_only: bool
    available_at_most: int
    month: int
    order: UsageOrder
    page_size: int
    page_token: str
    soft_limit_passed_only: bool
    user_id: str
    year: int
    def __init__(self, year: _Optional[int] = ..., month: _Optional[int] = ..., order: _Optional[_Union[UsageOrder, str]] = ..., active_only: bool = ..., soft_limit_passed_only: bool = ..., available_at_most: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class GetUsageReportResponse(_message.Message):
    __slots__ = ["next_page_token", "totals", "users"]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    next_page_token: str
    totals: UsageTotals
    users: _containers.RepeatedCompositeFieldContainer[UserUsage]
    def __init__(self, users: _Optional[_Iterable[_Union[UserUsage, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., totals: _Optional[_Union[UsageTotals, _Mapping]] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ["page_size", "page_token", "user_id"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAlertsResponse(_message.Message):
    __slots__ = ["alerts", "next_page_token"]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    next_page_token: str
    def __init__(self, alerts: _Optional[_Iterable[_Union[Alert, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListUnresolvedReservationsRequest(_message.Message):
    __slots__ = ["page_size", "page_token"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUnresolvedReservationsResponse(_message.Message):
    __slots__ = ["next_page_token", "reservations"]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    next_page_token: str
    reservations: _containers.RepeatedCompositeFieldContainer[UnresolvedReservation]
    def __init__(self, reservations: _Optional[_Iterable[_Union[UnresolvedReservation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ResolveReservationRequest(_message.Message):
    __slots__ = ["allow_overrun", "credits", "reservation_id", "resolution_id", "user_id", "validate_only"]
    ALLOW_OVERRUN_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    allow_overrun: bool
    credits: int
    reservation_id: str
    resolution_id: str
    user_id: str
    validate_only: bool
    def __init__(self, user_id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., credits: _Optional[int] = ..., resolution_id: _Optional[str] = ..., allow_overrun: bool = ..., validate_only: bool = ...) -> None: ...

class ResolveReservationResponse(_message.Message):
    __slots__ = ["replayed", "reservation", "usage"]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    replayed: bool
    reservation: _credits_pb2.Reservation
    usage: _credits_pb2.CreditUsage
    def __init__(self, reservation: _Optional[_Union[_credits_pb2.Reservation, _Mapping]] = ..., usage: _Optional[_Union[_credits_pb2.CreditUsage, _Mapping]] = ..., replayed: bool = ...) -> None: ...

class SetBudgetRequest(_message.Message):
    __slots__ = ["annual_budget", "monthly_soft_limit", "user_id", "validate_only"]
    ANNUAL_BUDGET_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_SOFT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    annual_budget: int
    monthly_soft_limit: int
    user_id: str
    validate_only: bool
    def __init__(self, user_id: _Optional[str] = ..., annual_budget: _Optional[int] = ..., monthly_soft_limit: _Optional[int] = ..., validate_only: bool = ...) -> None: ...

class SetBudgetResponse(_message.Message):
    __slots__ = ["previous_annual_budget", "previous_monthly_soft_limit", "usage"]
    PREVIOUS_ANNUAL_BUDGET_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_MONTHLY_SOFT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    previous_annual_budget: int
    previous_monthly_soft_limit: int
    usage: _credits_pb2.CreditUsage
    def __init__(self, usage: _Optional[_Union[_credits_pb2.CreditUsage, _Mapping]] = ..., previous_annual_budget: _Optional[int] = ..., previous_monthly_soft_limit: _Optional[int] = ...) -> None: ...

class UnresolvedReservation(_message.Message):
    __slots__ = ["reservation", "unresolved_since", "user_label"]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    UNRESOLVED_SINCE_FIELD_NUMBER: _ClassVar[int]
    USER_LABEL_FIELD_NUMBER: _ClassVar[int]
    reservation: _credits_pb2.Reservation
    unresolved_since: _timestamp_pb2.Timestamp
    user_label: str
    def __init__(self, reservation: _Optional[_Union[_credits_pb2.Reservation, _Mapping]] = ..., unresolved_since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., user_label: _Optional[str] = ...) -> None: ...

class UsageInterval(_message.Message):
    __slots__ = ["first_day", "generation", "refund", "regeneration", "released", "reserved", "used"]
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    REFUND_FIELD_NUMBER: _ClassVar[int]
    REGENERATION_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    first_day: CivilDate
    generation: int
    refund: int
    regeneration: int
    released: int
    reserved: int
    used: int
    def __init__(self, first_day: _Optional[_Union[CivilDate, _Mapping]] = ..., generation: _Optional[int] = ..., regeneration: _Optional[int] = ..., refund: _Optional[int] = ..., used: _Optional[int] = ..., reserved: _Optional[int] = ..., released: _Optional[int] = ...) -> None: ...

class UsageTotals(_message.Message):
    __slots__ = ["annual_budget", "generation", "held", "monthly_held", "monthly_used", "refund", "regeneration", "unresolved_reservations", "used", "users", "users_above_soft_limit"]
    ANNUAL_BUDGET_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_HELD_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_USED_FIELD_NUMBER: _ClassVar[int]
    REFUND_FIELD_NUMBER: _ClassVar[int]
    REGENERATION_FIELD_NUMBER: _ClassVar[int]
    UNRESOLVED_RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    USERS_ABOVE_SOFT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    annual_budget: int
    generation: int
    held: int
    monthly_held: int
    monthly_used: int
    refund: int
    regeneration: int
    unresolved_reservations: int
    used: int
    users: int
    users_above_soft_limit: int
    def __init__(self, users: _Optional[int] = ..., annual_budget: _Optional[int] = ..., generation: _Optional[int] = ..., regeneration: _Optional[int] = ..., refund: _Optional[int] = ..., used: _Optional[int] = ..., held: _Optional[int] = ..., monthly_used: _Optional[int] = ..., users_above_soft_limit: _Optional[int] = ..., unresolved_reservations: _Optional[int] = ..., monthly_held: _Optional[int] = ...) -> None: ...

class UserUsage(_message.Message):
    __slots__ = ["unresolved_reservations", "usage", "user_id", "user_label"]
    UNRESOLVED_RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_LABEL_FIELD_NUMBER: _ClassVar[int]
    unresolved_reservations: int
    usage: _credits_pb2.CreditUsage
    user_id: str
    user_label: str
    def __init__(self, user_id: _Optional[str] = ..., usage: _Optional[_Union[_credits_pb2.CreditUsage, _Mapping]] = ..., unresolved_reservations: _Optional[int] = ..., user_label: _Optional[str] = ...) -> None: ...

class VerifyLedgerRequest(_message.Message):
    __slots__ = ["user_id"]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class VerifyLedgerResponse(_message.Message):
    __slots__ = ["discrepancy", "users_verified"]
    DISCREPANCY_FIELD_NUMBER: _ClassVar[int]
    USERS_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    discrepancy: Discrepancy
    users_verified: int
    def __init__(self, discrepancy: _Optional[_Union[Discrepancy, _Mapping]] = ..., users_verified: _Optional[int] = ...) -> None: ...

class WatchAlertsRequest(_message.Message):
    __slots__ = ["resume_token"]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    def __init__(self, resume_token: _Optional[str] = ...) -> None: ...

class WatchAlertsResponse(_message.Message):
    __slots__ = ["alert", "resume_token"]
    ALERT_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    alert: Alert
    resume_token: str
    def __init__(self, alert: _Optional[_Union[Alert, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class UsageOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class UsageGranularity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
