/// The objects that all connections of a server share.
struct ServerParts: Sendable {
  let methods: MethodTable
  let formats: [WireFormat]
  let routes: [HTTPRoute]
  let interceptors: ServerInterceptorChain
  let limits: ServerLimits
  let load: ServerLoad
  let connectionRates: ConnectionRates
  let budget: @Sendable (PeerIdentity) -> PeerBudget

  init(
    _ services: [any Service], formats: [WireFormat] = [], routes: [HTTPRoute],
    interceptors: [any ServerInterceptor],
    limits: ServerLimits, budget: @escaping @Sendable (PeerIdentity) -> PeerBudget
  ) {
    self.budget = budget
    self.interceptors = ServerInterceptorChain(interceptors)
    methods = MethodTable(services, interceptors: self.interceptors)
    self.formats = formats
    self.routes = routes
    self.limits = limits
    load = ServerLoad(limits)
    connectionRates = ConnectionRates(limits)
  }
}

/// An event that starts the drain: calls in flight are answered, new ones are refused.
package struct DrainStarted: Sendable {}

/// An event that ends the drain: the calls that are still in flight are ended.
package struct DrainEnded: Sendable {}

/// An event that reports a change of the policy, and possibly of the budget of the connection's
/// user.
package struct BudgetsChanged: Sendable {}
