internal import MockupStore
public import TTRPC

/// Turns away calls that change credits while more of them wait than may, before anything is done for
/// them: who is offered several times what it can do has no time to read what it refuses.
public struct LoadShedding: BracketingInterceptor {
  private let store: CreditStore
  /// Those whose changes gather.
  private let methods: Set<String>

  public init(_ service: CreditService) {
    store = service.store
    methods = service.gatheringMethods
  }

  public func bracket(of method: MethodDescriptor, isKnown: Bool) -> (any CallBracket)? {
    guard method.service == CreditService.serviceName, methods.contains(method.name) else {
      return nil
    }
    return Bracket(store: store)
  }

  private final class Bracket: CallBracket {
    let store: CreditStore

    init(store: CreditStore) {
      self.store = store
    }

    func callBegan(_ context: inout ServerContext) throws(RPCError) {
      if store.isFull { throw .tooMuchToDo }
    }
  }
}
