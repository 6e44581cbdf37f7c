internal import MockupAPI
internal import MockupDatabase
public import TTRPC

/// An interceptor that refuses a call while the queue of its changes is full.
///
/// Calls are refused before their requests are decoded, because a server that gets several times
/// the load it can handle cannot afford to decode the requests that it refuses.
public struct LoadShedding: HookInterceptor {
  typealias IsFull = @Sendable () -> Bool

  /// The state of the queue of each method that uses one, by the method's full name.
  private let queues: [String: IsFull]

  /// Creates an interceptor for the calls of the services that write in batches.
  public init(_ credits: CreditService, _ mockups: MockupService) {
    var queues: [String: IsFull] = [:]
    for method in credits.methods where method.isDeferred {
      queues["\(CreditService.serviceName)/\(method.name)"] = { credits.store.isFull }
    }
    typealias Methods = MockupServiceClient.Methods
    for method in [Methods.completeMockup, Methods.failMockup] {
      queues[method.fullName] = { mockups.store.isFull }
    }
    queues[Methods.recordPerformance.fullName] = { mockups.performance.isFull }
    self.queues = queues
  }

  /// Returns the hook that checks the queue, or `nil` for methods that do not use one.
  public func hook(for method: MethodDescriptor, isKnown: Bool) -> (any CallHook)? {
    queues[method.fullName].map(Hook.init)
  }

  final class Hook: CallHook {
    let isFull: IsFull

    init(isFull: @escaping IsFull) {
      self.isFull = isFull
    }

    func callBegan(_ context: inout ServerContext) throws(RPCError) {
      if isFull() { throw .overloaded }
    }
  }
}
