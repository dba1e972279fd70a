// What the page that is being answered wants to have done with a password, and what has come of it: kept
// aside as page text is, because values of that size in a response, and in every answer, would cost
// each page. This file faces C; the memory is a static structure of it.

import CMartletPlatform
import MartletBytes
import MartletToken

/// What a page wants to have done before it is asked again.
enum PageWork {
  enum Kind: UInt32 {
    case none
    /// Find out whether the password is that of the hash.
    case verify
    /// Hash the password.
    case hash
    /// The hash is the result.
    case hashed
  }

  private static var memory: UnsafeMutablePointer<martlet_page_work> {
    unsafe martlet_page_work()
  }

  /// What is wanted.
  static var kind: Kind { unsafe Kind(rawValue: memory.pointee.kind) ?? .none }

  /// Nothing is wanted, and there is no result but that hash.
  static func offer(_ hash: PasswordHash?) {
    unsafe memory.pointee.kind = Kind.none.rawValue
    if let hash {
      put(hash)
      unsafe memory.pointee.kind = Kind.hashed.rawValue
    }
  }

  /// Notes a wish.
  ///
  /// - Parameter password: At most `Limits.passwordSizeMax` octets.
  static func want(_ kind: Kind, _ password: Span<UInt8>, iterations: UInt32) {
    invariant(password.count <= Limits.passwordSizeMax, "a password fits its place")
    let memory = unsafe memory
    // Safe: the array has room for the longest password, and nobody else uses it meanwhile.
    unsafe withUnsafeMutableBytes(of: &memory.pointee.password) { target in
      for i in password.indices { unsafe target[i] = password[i] }
    }
    unsafe memory.pointee.password_count = UInt32(password.count)
    unsafe memory.pointee.iterations = iterations
    unsafe memory.pointee.kind = kind.rawValue
  }

  /// Begins what is wanted; the password is overwritten then.
  static func begin(_ work: inout Work) {
    let memory = unsafe memory
    // Safe: so many octets of the array have been written.
    unsafe withUnsafeBytes(of: &memory.pointee.password) { octets in
      let password = unsafe Span<UInt8>(
        _unsafeStart: octets.baseAddress!.assumingMemoryBound(to: UInt8.self),
        count: Int(memory.pointee.password_count))
      switch kind {
      case .none, .hashed: break
      case .verify: work.state = .verifying(PasswordVerification(password, against: hash))
      case .hash:
        do throws(PasswordRefusal) {
          work.state = .hashing(
            unsafe try PasswordHashing(password, iterations: memory.pointee.iterations))
        } catch {
          stop("a password that is to be hashed has been checked")
        }
      }
    }
    unsafe martlet_wipe(&memory.pointee.password, Int(MARTLET_PASSWORD_SIZE))
    unsafe memory.pointee.kind = Kind.none.rawValue
  }

  /// The hash to verify against, or the result.
  static var hash: PasswordHash {
    // Safe: `put` has written one.
    unsafe withUnsafeBytes(of: &memory.pointee.hash) { unsafe $0.load(as: PasswordHash.self) }
  }

  static func put(_ hash: PasswordHash) {
    invariant(
      MemoryLayout<PasswordHash>.size <= Int(MARTLET_PASSWORD_HASH_SIZE), "a hash fits its place")
    // Safe: the array has room for it, and a hash is plain octets.
    unsafe withUnsafeMutableBytes(of: &memory.pointee.hash) {
      unsafe $0.storeBytes(of: hash, as: PasswordHash.self)
    }
  }
}
