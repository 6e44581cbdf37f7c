/// The method of a call: its names, and what runs when it is called.
package final class CalledMethod: Sendable {
  package let descriptor: MethodDescriptor
  /// A Boolean value that indicates whether the method is registered.
  package let isKnown: Bool
  let handler: Method.Handler
  /// The hooks for calls without metadata, or `nil` if such calls need an interceptor that is not a
  /// hook.
  let hooks: [any CallHook]?

  /// Creates a method that a service registers.
  init(_ method: Method, of service: String, _ interceptors: ServerInterceptorChain) {
    descriptor = MethodDescriptor(service: service, name: method.name, shape: method.shape)
    isKnown = true
    handler = method.handler
    hooks = interceptors.hooks(of: descriptor)
  }

  /// Creates a method that has no handler: one that no service registers, or the route of an HTTP
  /// request.
  ///
  /// - Parameters:
  ///   - descriptor: The names in the request.
  ///   - isKnown: True for a route of the server.
  ///   - error: The status of the calls.
  init(_ descriptor: MethodDescriptor, isKnown: Bool = false, _ error: RPCError) {
    self.descriptor = descriptor
    self.isKnown = isKnown
    handler = .unary { _, _ in throw error }
    hooks = nil
  }
}
