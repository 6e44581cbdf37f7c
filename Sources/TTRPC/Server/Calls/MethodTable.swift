/// A table that finds the method that a request names.
package struct MethodTable: Sendable {
  /// A method, with the call hooks that run around it.
  package final class Entry: Sendable {
    let descriptor: MethodDescriptor
    let method: Method
    /// The hooks for calls without metadata, or `nil` if such calls need an interceptor that is not
    /// a hook.
    let hooks: [any CallHook]?
    fileprivate let service: [UInt8]
    fileprivate let name: [UInt8]

    init(_ method: Method, of service: String, _ interceptors: ServerInterceptorChain) {
      descriptor = MethodDescriptor(service: service, name: method.name, shape: method.shape)
      self.method = method
      hooks = interceptors.hooks(of: descriptor)
      self.service = Array(service.utf8)
      name = Array(method.name.utf8)
    }
  }

  private var services: [String: [String: Entry]] = [:]
  /// The same entries in a hash table with linear probing, keyed by the bytes of both names.
  ///
  /// At least half of the slots are empty.
  private var slots: [Entry?]

  /// Creates a table of the methods of the given services.
  ///
  /// - Precondition: No two services, and no two methods of one service, share a name.
  init(_ registered: [any Service], interceptors: ServerInterceptorChain) {
    for service in registered {
      let name = type(of: service).serviceName
      precondition(services[name] == nil, "service \(name) is registered twice")
      services[name] = Dictionary(
        service.methods.map { ($0.name, Entry($0, of: name, interceptors)) },
        uniquingKeysWith: { first, _ in
          preconditionFailure("method \(name)/\(first.method.name) is registered twice")
        })
    }
    let entries = services.values.flatMap(\.values)
    var size = 2
    while size < entries.count * 2 { size *= 2 }
    slots = Array(repeating: nil, count: size)
    for entry in entries {
      var slot = unsafe entry.service.withUnsafeBytes { service in
        unsafe entry.name.withUnsafeBytes { unsafe Self.hash(service, $0) }
      }
      while slots[slot & (size - 1)] != nil { slot &+= 1 }
      slots[slot & (size - 1)] = entry
    }
  }

  /// The result of a search for the method that a request names.
  package enum Match {
    case known(Entry)
    /// No method has these names, and the call gets this status.
    case unknown(MethodDescriptor, RPCError)

    package var descriptor: MethodDescriptor {
      switch self {
      case .known(let entry): entry.descriptor
      case .unknown(let descriptor, _): descriptor
      }
    }

    package var isKnown: Bool {
      if case .known = self { true } else { false }
    }
  }

  package func method(service: String, method: String) -> Match {
    let methods = services[service]
    if let found = methods?[method] { return .known(found) }
    return .unknown(
      MethodDescriptor(service: service, name: method),
      RPCError(
        code: .unimplemented,
        message: methods == nil ? "service \(service)" : "method \(method)"))
  }

  /// Finds a method by the bytes of its names, without creating strings.
  ///
  /// - Returns: `nil` if there is no such method.
  package func method(
    service: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer
  ) -> Entry? {
    var slot = unsafe Self.hash(service, method)
    while let entry = slots[slot & (slots.count - 1)] {
      if unsafe entry.service.elementsEqual(service), unsafe entry.name.elementsEqual(method) {
        return entry
      }
      slot &+= 1
    }
    return nil
  }

  /// Hashes both names with FNV-1a, 64 bits.
  ///
  /// The hash needs no secret: only the program's own names are in the table, so a peer cannot
  /// choose names that collide.
  ///
  /// Source: http://www.isthe.com/chongo/tech/comp/fnv/
  private static func hash(
    _ service: UnsafeRawBufferPointer, _ method: UnsafeRawBufferPointer
  ) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ bytes: UnsafeRawBufferPointer) {
      for index in 0..<bytes.count {
        hash = unsafe (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3
      }
    }
    unsafe add(service)
    unsafe add(method)
    return Int(truncatingIfNeeded: hash ^ (hash >> 32))
  }
}
