/// Finds the method that a request names.
struct MethodTable: Sendable {
  /// A method, and what is to be around its calls.
  final class Entry: Sendable {
    let descriptor: MethodDescriptor
    let method: Method
    /// Around calls that bring no metadata; `nil` where there are interceptors that are more than that.
    let brackets: [any CallBracket]?
    fileprivate let service: [UInt8]
    fileprivate let name: [UInt8]

    init(_ method: Method, of service: String, _ interceptors: ServerInterceptorChain) {
      descriptor = MethodDescriptor(service: service, name: method.name, shape: method.shape)
      self.method = method
      brackets = interceptors.brackets(of: descriptor)
      self.service = Array(service.utf8)
      name = Array(method.name.utf8)
    }
  }

  private var services: [String: [String: Entry]] = [:]
  /// The same once more, by their names' bytes as they stand in a request: at the place that the hash of
  /// these says, or at the next that was free. At least half of the places are.
  private var places: [Entry?]

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
    places = Array(repeating: nil, count: size)
    for entry in entries {
      var place = unsafe entry.service.withUnsafeBytes { service in
        unsafe entry.name.withUnsafeBytes { unsafe Self.hash(service, $0) }
      }
      while places[place & (size - 1)] != nil { place &+= 1 }
      places[place & (size - 1)] = entry
    }
  }

  func method(service: String, method: String) throws(RPCError) -> Entry {
    guard let methods = services[service] else {
      throw RPCError(code: .unimplemented, message: "service \(service)")
    }
    guard let found = methods[method] else {
      throw RPCError(code: .unimplemented, message: "method \(method)")
    }
    return found
  }

  /// The same by the names' bytes, without making strings of them; `nil` where there is no such method.
  func method(service: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer) -> Entry? {
    var place = unsafe Self.hash(service, method)
    while let entry = places[place & (places.count - 1)] {
      if unsafe entry.service.elementsEqual(service), unsafe entry.name.elementsEqual(method) {
        return entry
      }
      place &+= 1
    }
    return nil
  }

  /// FNV-1a, 64 bits: the names are the program's own, so nobody can choose them to collide.
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
