// Octets stored in place, up to a capacity that is part of the type. Nothing grows.

/// Up to `capacity` octets, stored inline.
public struct FixedBuffer<let capacity: Int>: ~Copyable {
  private var storage = InlineArray<capacity, UInt8>(repeating: 0)
  /// How many octets it holds.
  public private(set) var count = 0

  /// An empty buffer.
  public init() {}

  /// What it holds.
  public var span: Span<UInt8> {
    // Addressable: the optimizer of Swift 6.3.1 otherwise makes a getter for each capacity that takes
    // a copy of the buffer, and the span points into that copy (compare swiftlang/swift#80577).
    @_addressableSelf @_lifetime(borrow self) get { storage.span.extracting(first: count) }
  }

  /// The whole storage, to be filled from outside; then say how much of it counts with `setCount`.
  public var storageSpan: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get { storage.mutableSpan }
  }

  /// Says how many octets of the storage count.
  @inline(never)
  public mutating func setCount(_ count: Int) {
    invariant(count >= 0 && count <= capacity, "a buffer holds at most its capacity")
    self.count = count
  }

  /// Appends `octets`, or nothing when they do not fit.
  ///
  /// - Returns: Whether they fitted.
  @discardableResult
  public mutating func append(_ octets: Span<UInt8>) -> Bool {
    guard octets.count <= capacity - count else { return false }
    let start = count
    var target = storage.mutableSpan
    target.copy(octets, to: start)
    count &+= octets.count
    return true
  }

  /// Appends one octet, or nothing when the buffer is full.
  @discardableResult
  public mutating func append(_ octet: UInt8) -> Bool {
    guard count < capacity else { return false }
    storage[count] = octet
    count &+= 1
    return true
  }

  /// Removes the octets of `range`; what follows moves up.
  public mutating func removeSubrange(_ range: Range<Int>) {
    invariant(range.lowerBound >= 0 && range.upperBound <= count, "only what is there is removed")
    for i in range.upperBound..<count { storage[i &- range.count] = storage[i] }
    count &-= range.count
  }

  /// Forgets what it holds.
  public mutating func removeAll() { count = 0 }

  /// Overwrites the whole storage with zeros, so that no secret stays in memory.
  public mutating func wipe() {
    for i in 0..<capacity { storage[i] = 0 }
    count = 0
  }
}
