from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Collections(_message.Message):
    __slots__ = ["names"]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateSceneTemplateRequest(_message.Message):
    __slots__ = ["config", "description", "dm_template_id", "dm_template_url", "is_inactive", "name", "preview_url", "recommended_collections", "request_id", "scene_key", "user_id"]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DM_TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    DM_TEMPLATE_URL_FIELD_NUMBER: _ClassVar[int]
    IS_INACTIVE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_URL_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDED_COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCENE_KEY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    config: SceneConfig
    description: str
    dm_template_id: str
    dm_template_url: str
    is_inactive: bool
    name: str
    preview_url: str
    recommended_collections: _containers.RepeatedScalarFieldContainer[str]
    request_id: str
    scene_key: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., request_id: _Optional[str] = ..., scene_key: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., dm_template_id: _Optional[str] = ..., dm_template_url: _Optional[str] = ..., config: _Optional[_Union[SceneConfig, _Mapping]] = ..., preview_url: _Optional[str] = ..., is_inactive: bool = ..., recommended_collections: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateSceneTemplateResponse(_message.Message):
    __slots__ = ["replayed", "template"]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    replayed: bool
    template: SceneTemplate
    def __init__(self, template: _Optional[_Union[SceneTemplate, _Mapping]] = ..., replayed: bool = ...) -> None: ...

class DeleteSceneTemplateRequest(_message.Message):
    __slots__ = ["template_id", "user_id"]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., template_id: _Optional[str] = ...) -> None: ...

class DeleteSceneTemplateResponse(_message.Message):
    __slots__ = ["deleted"]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    def __init__(self, deleted: bool = ...) -> None: ...

class GetSceneTemplateRequest(_message.Message):
    __slots__ = ["template_id", "user_id"]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., template_id: _Optional[str] = ...) -> None: ...

class GetSceneTemplateResponse(_message.Message):
    __slots__ = ["template"]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    template: SceneTemplate
    def __init__(self, template: _Optional[_Union[SceneTemplate, _Mapping]] = ...) -> None: ...

class ListSceneTemplatesRequest(_message.Message):
    __slots__ = ["collection", "include_inactive", "own_only", "page_size", "page_token", "user_id"]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_INACTIVE_FIELD_NUMBER: _ClassVar[int]
    OWN_ONLY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    collection: str
    include_inactive: bool
    own_only: bool
    page_size: int
    page_token: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., include_inactive: bool = ..., own_only: bool = ..., collection: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSceneTemplatesResponse(_message.Message):
    __slots__ = ["next_page_token", "templates"]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    next_page_token: str
    templates: _containers.RepeatedCompositeFieldContainer[SceneTemplate]
    def __init__(self, templates: _Optional[_Iterable[_Union[SceneTemplate, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ["x", "y"]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

class ResolveSceneRequest(_message.Message):
    __slots__ = ["scene_key", "user_id"]
    SCENE_KEY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    scene_key: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., scene_key: _Optional[str] = ...) -> None: ...

class ResolveSceneResponse(_message.Message):
    __slots__ = ["template"]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    template: SceneTemplate
    def __init__(self, template: _Optional[_Union[SceneTemplate, _Mapping]] = ...) -> None: ...

class SceneConfig(_message.Message):
    __slots__ = ["default_size", "other_json", "position", "rotation", "scale", "smart_object"]
    DEFAULT_SIZE_FIELD_NUMBER: _ClassVar[int]
    OTHER_JSON_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    SMART_OBJECT_FIELD_NUMBER: _ClassVar[int]
    default_size: Size
    other_json: str
    position: Position
    rotation: float
    scale: float
    smart_object: str
    def __init__(self, smart_object: _Optional[str] = ..., default_size: _Optional[_Union[Size, _Mapping]] = ..., position: _Optional[_Union[Position, _Mapping]] = ..., rotation: _Optional[float] = ..., scale: _Optional[float] = ..., other_json: _Optional[str] = ...) -> None: ...

class SceneConfigChange(_message.Message):
    __slots__ = ["default_size", "other_json", "position", "rotation", "scale", "smart_object"]
    DEFAULT_SIZE_FIELD_NUMBER: _ClassVar[int]
    OTHER_JSON_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    SMART_OBJECT_FIELD_NUMBER: _ClassVar[int]
    default_size: Size
    other_json: str
    position: Position
    rotation: float
    scale: float
    smart_object: str
    def __init__(self, smart_object: _Optional[str] = ..., default_size: _Optional[_Union[Size, _Mapping]] = ..., position: _Optional[_Union[Position, _Mapping]] = ..., rotation: _Optional[float] = ..., scale: _Optional[float] = ..., other_json: _Optional[str] = ...) -> None: ...

class SceneTemplate(_message.Message):
    __slots__ = ["config", "created_at", "description", "dm_template_id", "dm_template_url", "is_active", "is_system", "name", "preview_url", "recommended_collections", "scene_key", "template_id", "updated_at", "user_id"]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DM_TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    DM_TEMPLATE_URL_FIELD_NUMBER: _ClassVar[int]
    IS_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    IS_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_URL_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDED_COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    SCENE_KEY_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    config: SceneConfig
    created_at: _timestamp_pb2.Timestamp
    description: str
    dm_template_id: str
    dm_template_url: str
    is_active: bool
    is_system: bool
    name: str
    preview_url: str
    recommended_collections: _containers.RepeatedScalarFieldContainer[str]
    scene_key: str
    template_id: str
    updated_at: _timestamp_pb2.Timestamp
    user_id: str
    def __init__(self, template_id: _Optional[str] = ..., user_id: _Optional[str] = ..., scene_key: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., dm_template_id: _Optional[str] = ..., dm_template_url: _Optional[str] = ..., config: _Optional[_Union[SceneConfig, _Mapping]] = ..., preview_url: _Optional[str] = ..., is_active: bool = ..., is_system: bool = ..., recommended_collections: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Size(_message.Message):
    __slots__ = ["height", "width"]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    height: float
    width: float
    def __init__(self, width: _Optional[float] = ..., height: _Optional[float] = ...) -> None: ...

class UpdateSceneTemplateRequest(_message.Message):
    __slots__ = ["config", "config_change", "description", "dm_template_id", "dm_template_url", "is_active", "name", "preview_url", "recommended_collections", "template_id", "user_id"]
    CONFIG_CHANGE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DM_TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    DM_TEMPLATE_URL_FIELD_NUMBER: _ClassVar[int]
    IS_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_URL_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDED_COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    config: SceneConfig
    config_change: SceneConfigChange
    description: str
    dm_template_id: str
    dm_template_url: str
    is_active: bool
    name: str
    preview_url: str
    recommended_collections: Collections
    template_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., template_id: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., dm_template_id: _Optional[str] = ..., dm_template_url: _Optional[str] = ..., config: _Optional[_Union[SceneConfig, _Mapping]] = ..., preview_url: _Optional[str] = ..., is_active: bool = ..., recommended_collections: _Optional[_Union[Collections, _Mapping]] = ..., config_change: _Optional[_Union[SceneConfigChange, _Mapping]] = ...) -> None: ...

class UpdateSceneTemplateResponse(_message.Message):
    __slots__ = ["template"]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    template: SceneTemplate
    def __init__(self, template: _Optional[_Union[SceneTemplate, _Mapping]] = ...) -> None: ...
