internal import MockupAPI
internal import MockupDatabase
public import TTRPC

/// An interceptor that refuses calls that change credits while the write queue is full.
///
/// Calls are refused before their requests are decoded, because a server that gets several times
/// the load it can handle cannot afford to decode the requests that it refuses.
public struct LoadShedding: HookInterceptor {
  private let store: CreditStore
  /// The names of the methods whose changes go through the write queue.
  private let methods: Set<String>

  /// Creates an interceptor for a service's calls.
  public init(_ service: CreditService) {
    store = service.store
    methods = Set(service.methods.filter(\.isDeferred).map(\.name))
  }

  /// Returns the hook that checks the write queue, or `nil` for methods that do not use it.
  public func hook(for method: MethodDescriptor, isKnown: Bool) -> (any CallHook)? {
    guard method.service == CreditService.serviceName, methods.contains(method.name) else {
      return nil
    }
    return Hook(store: store)
  }

  private final class Hook: CallHook {
    let store: CreditStore

    init(store: CreditStore) {
      self.store = store
    }

    func callBegan(_ context: inout ServerContext) throws(RPCError) {
      if store.isFull { throw .overloaded }
    }
  }
}
