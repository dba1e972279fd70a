// A stream that a test holds open, and server-sent events as a browser reads them (WHATWG HTML, section 9.2.6).

/// One event of a response.
public struct TestEvent: Equatable, Sendable {
  /// The value of the last `id` line, in this event or before it.
  public let id: String
  /// The value of `event`; `message` without one.
  public let name: String
  /// The lines of the data, joined with LF.
  public let data: String

  public init(id: String = "", name: String = "message", data: String) {
    self.id = id
    self.name = name
    self.data = data
  }
}

extension TestResponse {
  /// The events in the content. An event without its empty line, and an event without data, are left out.
  public var events: [TestEvent] {
    var events: [TestEvent] = []
    var (id, name, data): (String, String, [String]) = ("", "", [])
    let normal = body.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    for line in normal.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      if line.isEmpty {
        if !data.isEmpty {
          events.append(
            TestEvent(id: id, name: name.isEmpty ? "message" : name, data: data.joined(separator: "\n")))
        }
        (name, data) = ("", [])
        continue
      }
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? String(parts[1].hasPrefix(" ") ? parts[1].dropFirst() : parts[1]) : ""
      switch parts[0] {
      case "id": id = value
      case "event": name = value
      case "data": data.append(value)
      default: break
      }
    }
    return events
  }
}

/// A stream that a test holds open (`TestClient.open`).
public final class TestStream {
  private let peer: ClientPeer

  init(_ peer: ClientPeer) { self.peer = peer }

  /// What the server has sent until now.
  public var response: TestResponse { TestResponse(answer: [UInt8](peer.answer)) }

  /// The events that have come until now.
  public var events: [TestEvent] { response.events }

  /// Whether the server has ended the stream.
  public var isEnded: Bool {
    peer.isClosed || peer.answer.reversed().starts(with: [UInt8]("0\r\n\r\n".utf8).reversed())
  }

  /// Closes the client's end. The server notices it with the next request.
  public func close() { peer.isGone = true }
}
