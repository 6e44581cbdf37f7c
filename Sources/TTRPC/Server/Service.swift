/// A set of methods under one name. Generated handler protocols refine it.
public protocol Service: Sendable {
  /// The full name in the `.proto` file, package included.
  static var serviceName: String { get }

  /// Every method that is answered.
  var methods: [Method] { get }
}
