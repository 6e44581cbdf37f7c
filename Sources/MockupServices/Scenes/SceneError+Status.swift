internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import TTRPC

extension SceneError: StatusConvertible {
  func status(_ context: ServerContext) -> RPCError {
    switch self {
    case .unknownUser(let id):
      RPCError(code: .notFound, message: "there is no user \(id.wireText)")
    case .unknownTemplate(let id):
      RPCError(code: .notFound, message: "the user has no scene template \(id.wireText)")
    case .deletedTemplate(let requestID):
      RPCError(
        code: .notFound,
        message: "the scene template of request \(requestID.wireText) was deleted")
    case .unknownScene(let key):
      RPCError(code: .notFound, message: "there is no active scene \(key)")
    case .keyTaken(let key):
      .exists(
        "scene_key", "the user already has a scene template with the key \(key)", "is already used")
    case .conflict(let field):
      .exists(field, "the id was already used with different \(field)")
    case .systemTemplate(let id):
      RPCError(
        code: .failedPrecondition,
        message: "scene template \(id.wireText) is a system template, which is read-only")
    case .unstorableConfig:
      .invalid("config", "contains a value that the database cannot store")
    case .database(let error):
      error.status(context)
    }
  }
}
