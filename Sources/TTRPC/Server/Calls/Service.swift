/// A named set of methods, which generated handler protocols refine.
public protocol Service: Sendable {
  /// The service's full name in the `.proto` file, including the package.
  static var serviceName: String { get }

  /// The methods that the service implements.
  var methods: [Method] { get }
}
