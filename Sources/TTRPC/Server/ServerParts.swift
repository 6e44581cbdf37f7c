/// The objects that all connections of a server share.
struct ServerParts: Sendable {
  let methods: MethodTable
  let routes: [HTTPRoute]
  let interceptors: ServerInterceptorChain
  let limits: ServerLimits
  let load: ServerLoad
  let budget: @Sendable (PeerIdentity) -> PeerBudget

  init(
    _ services: [any Service], routes: [HTTPRoute], interceptors: [any ServerInterceptor],
    limits: ServerLimits, budget: @escaping @Sendable (PeerIdentity) -> PeerBudget
  ) {
    self.budget = budget
    self.interceptors = ServerInterceptorChain(interceptors)
    methods = MethodTable(services, interceptors: self.interceptors)
    self.routes = routes
    self.limits = limits
    load = ServerLoad(limits)
  }
}

/// An event that starts the drain: calls in flight are answered, new ones are refused.
struct DrainStarted: Sendable {}

/// An event that ends the drain: the calls that are still in flight are ended.
struct DrainEnded: Sendable {}

/// An event that reports a change of the policy, and possibly of the budget of the connection's
/// user.
struct BudgetsChanged: Sendable {}
