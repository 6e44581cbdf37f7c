internal import Glibc

/// A table that finds the method that a request names.
package final class MethodTable: Sendable {
  /// A registered method and the bytes of its names.
  private final class Slot: Sendable {
    let service: [UInt8]
    let name: [UInt8]
    let method: CalledMethod

    init(_ method: CalledMethod) {
      service = Array(method.descriptor.service.utf8)
      name = Array(method.descriptor.name.utf8)
      self.method = method
    }
  }

  private let services: Set<String>
  /// A hash table with linear probing, keyed by the bytes of both names.
  ///
  /// At least half of the slots are empty.
  private let slots: [Slot?]

  /// Creates a table of the methods of the given services.
  ///
  /// - Precondition: No two services, and no two methods of one service, share a name.
  init(_ registered: [any Service], interceptors: ServerInterceptorChain) {
    let methods = registered.flatMap { service in
      let name = type(of: service).serviceName
      return service.methods.map { CalledMethod($0, of: name, interceptors) }
    }
    var services: Set<String> = []
    for service in registered {
      let name = type(of: service).serviceName
      precondition(services.insert(name).inserted, "service \(name) is registered twice")
    }
    self.services = services
    var size = 2
    while size < methods.count * 2 { size *= 2 }
    var slots = [Slot?](repeating: nil, count: size)
    for slot in methods.map(Slot.init) {
      let index = unsafe slot.service.withUnsafeBytes { service in
        unsafe slot.name.withUnsafeBytes { unsafe Self.index(service, $0, in: slots) }
      }
      precondition(slots[index] == nil, "\(slot.method.descriptor.fullName) is registered twice")
      slots[index] = slot
    }
    self.slots = slots
  }

  func method(service: String, method: String) -> CalledMethod {
    var (service, method) = (service, method)
    let registered = service.withUTF8 { service in
      method.withUTF8 { method in
        unsafe registeredMethod(
          service: UnsafeRawBufferPointer(service), method: UnsafeRawBufferPointer(method))
      }
    }
    return registered ?? unknownMethod(service: service, method: method)
  }

  /// Returns a method that is not registered, whose calls get the status `UNIMPLEMENTED`.
  package func unknownMethod(service: String, method: String) -> CalledMethod {
    let missing = services.contains(service) ? "method \(method)" : "service \(service)"
    return CalledMethod(
      MethodDescriptor(service: service, name: method),
      RPCError(code: .unimplemented, message: missing))
  }

  /// Finds a method by the bytes of its names, without creating strings.
  ///
  /// - Returns: `nil` if there is no such method.
  package func registeredMethod(
    service: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer
  ) -> CalledMethod? {
    slots[unsafe Self.index(service, method, in: slots)]?.method
  }

  /// Returns the slot with the given names, or the empty one that they would take.
  private static func index(
    _ service: UnsafeRawBufferPointer, _ method: UnsafeRawBufferPointer, in slots: [Slot?]
  ) -> Int {
    var index = unsafe hash(service, method) & (slots.count - 1)
    while let slot = slots[index],
      unsafe !areEqual(slot.name, method) || !areEqual(slot.service, service)
    {
      index = (index + 1) & (slots.count - 1)
    }
    return index
  }

  private static func areEqual(_ name: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard name.count == bytes.count else { return false }
    return unsafe name.withUnsafeBytes { name in
      guard let name = name.baseAddress, let other = bytes.baseAddress else { return true }
      return unsafe memcmp(name, other, bytes.count) == 0
    }
  }

  /// Hashes the method's name and the length of the service's with FNV-1a, 64 bits.
  ///
  /// The hash needs no secret: only the program's own names are in the table, so a peer cannot
  /// choose names that collide.
  ///
  /// Source: http://www.isthe.com/chongo/tech/comp/fnv/
  private static func hash(
    _ service: UnsafeRawBufferPointer, _ method: UnsafeRawBufferPointer
  ) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(service.count)
    for index in 0..<method.count {
      hash = unsafe (hash ^ UInt64(method[index])) &* 0x100_0000_01b3
    }
    return Int(truncatingIfNeeded: hash ^ (hash >> 32))
  }
}
