// The file of the secret that sessions are signed with: 64 hexadecimal digits and a line feed.
// Made once; a new one ends all sessions, and nothing else. So one that a power cut has damaged is made
// anew, and nobody has to come to the device for it.

import Martlet

/// The secret that sessions are signed with.
enum Secret {
  /// What the directory holds.
  enum Loaded {
    case secret(Digest)
    /// One made anew, because the file's was of no use; and why it lasts until the end of the process
    /// only, if it does.
    case renewed(Digest, because: SystemError, unstored: SystemError?)
    case failed(SystemError)
  }

  private static var fileName: StaticString { "secret" }

  /// Reads the text of the file.
  static func parse(_ text: Span<UInt8>) -> Digest? {
    guard text.count == 65, text[64] == "\n" else { return nil }
    var secret = Digest(repeating: 0)
    var target = secret.mutableSpan
    guard text.extracting(0..<64).decodeHexadecimal(into: &target) == 32 else { return nil }
    return secret
  }

  /// Reads the file of a directory, or makes it when it is not there or of no use. A file that others
  /// may have read, or that can be read in a moment, stays as it is.
  static func load(from directory: DataDirectory) -> Loaded {
    var problem = SystemError.damaged
    do throws(SystemError) {
      if let secret = try directory.read(fileName, { parse($0) }) { return .secret(secret) }
    } catch {
      if error.isOthers || error.isPassing { return .failed(error) }
      problem = error
    }
    var secret = Digest(repeating: 0)
    var target = secret.mutableSpan
    Random.fill(&target)
    var unstored: SystemError?
    do throws(SystemError) { try store(secret, in: directory) } catch { unstored = error }
    if !problem.isNotFound { return .renewed(secret, because: problem, unstored: unstored) }
    if let unstored { return .failed(unstored) }
    return .secret(secret)
  }

  private static func store(_ secret: Digest, in directory: DataDirectory) throws(SystemError) {
    var text = FixedBuffer<65>()
    var writer = Writer(text.storageSpan)
    writer.append(hexadecimal: secret.span)
    writer.append("\n")
    let count = writer.count
    text.setCount(count)
    if case .unconfirmed(let error) = try directory.replace(fileName, with: text.span) {
      StorageTrouble.unconfirmed(error).log()
    }
  }
}
