// Every number of the system that bounds something: what it counts, its unit, and why that number.
// Each number stands once: one that sizes static memory stands in C, in martlet_memory.h, because C
// holds the arrays; the constant here takes its value from there.

import CMartletPlatform

/// The prefixes of trusted proxies.
public typealias TrustedPrefixes = InlineArray<4, IPPrefix>

/// What is known of failed logins: addresses, names at an address, names, near and far networks.
public typealias FailureTable<Entry> = InlineArray<192, Entry>

/// Every limit, with its unit and its reason.
public enum Limits {
  // MARK: Requests

  /// Octets of a request head: request line, field section and the empty line. 16 KiB is what most
  /// servers take; browsers send less than 1 KiB, and cookies of other programs at this host some
  /// more, which have no limit of their own. Beyond: 431.
  public static var requestHeadSizeMax: Int { 16_384 }

  /// Octets of a request target. RFC 9112 §3 recommends room for 8,000. Beyond: 414.
  public static var requestTargetSizeMax: Int { 8_000 }

  /// Field lines in a request. Browsers send some 20; proxies add a few. Beyond: 431.
  public static var fieldLineCountMax: Int { 100 }

  /// Octets of the zone in an IPv6 host (`eth0` of `[fe80::1%eth0]`): four times the longest name of
  /// an interface, because each octet may be percent-encoded. Beyond: 400.
  public static var zoneSizeMax: Int { 64 }

  /// Cookies of one name that are verified until a valid one is found. Programs at other ports and
  /// at parent domains may plant more; each try costs an HMAC of at most 4 KiB. Beyond: not read.
  public static var cookieTryCountMax: Int { 4 }

  /// Octets of a request's content after chunks are put together. A form is some hundred octets.
  /// Beyond: 413.
  public static var requestContentSizeMax: Int { 16_384 }

  /// Octets of a request's content that its page takes in pieces: the largest number of every board.
  /// What a page takes it says itself. Beyond: 413.
  public static var requestPiecesSizeMax: Int { 0x7FFF_FFFF }

  /// Octets of the extensions of all chunks of a content together, and of its trailer section; both
  /// are read over. Beyond: 413 and 431.
  public static var chunkExtensionSizeMax: Int { 256 }

  /// Octets of the buffer that a complete request is read into, for all connections together.
  public static var receiveSizeMax: Int { Int(MARTLET_RECEIVE_SIZE) }

  // MARK: Responses

  /// Octets of a response: its head, then its content.
  public static var responseSizeMax: Int { Int(MARTLET_RESPONSE_SIZE) }

  /// Octets of a response head: status line, the server's fields, the page's fields.
  public static var responseHeadSizeMax: Int { Int(MARTLET_HEAD_SIZE) }

  /// Octets of a response's content.
  public static var responseContentSizeMax: Int { responseSizeMax - responseHeadSizeMax }

  /// Octets of the field lines that a page adds.
  public static var responseFieldsSizeMax: Int { Int(MARTLET_FIELDS_SIZE) }

  // MARK: Connections

  /// Connections at a time. A slot costs `Limits.connectionSlotSize` octets.
  public static var connectionCountMax: Int { Int(MARTLET_CONNECTION_COUNT) }

  /// Descriptors for other things than connections: the terminal, the listener, the signals, files that are
  /// sent or written, and newcomers that wait for a slot.
  public static var otherDescriptorCountMax: Int { 32 }

  /// Connections at a time, where the system allows so many descriptors.
  public static func connectionCount(descriptors: Int) -> Int {
    max(1, min(connectionCountMax, descriptors - otherDescriptorCountMax))
  }

  /// Newcomers that are accepted and wait for a slot, at a time: so that a client with few connections is
  /// seen behind those of a client with many. Beyond: those of the client with most are closed.
  public static var newcomerCountMax: Int { 8 }

  /// Octets of kernel memory that a connection costs at most, as a cgroup counts them: what waits to be
  /// sent, what waits to be read, and the socket itself.
  public static var kernelConnectionSizeMax: Int {
    Int(MARTLET_SEND_BUFFER_SIZE) + Int(MARTLET_RECEIVE_BUFFER_SIZE) + Int(MARTLET_SOCKET_SIZE)
  }

  /// Octets of a slot, at most.
  public static var connectionSlotSize: Int { Int(MARTLET_CONNECTION_SIZE) }

  /// Responses that wait for their receiver at a time; each holds one response buffer.
  public static var responseBufferCountMax: Int { Int(MARTLET_RESPONSE_COUNT) }

  /// Milliseconds from a request's first octet to the end of its head. RFC 9110 §15.5.9: 408.
  public static var headTimeoutMilliseconds: Int64 { 10_000 }

  /// Milliseconds from the end of the head to the end of the content.
  public static var contentTimeoutMilliseconds: Int64 { 20_000 }

  /// Milliseconds that a connection may rest between two requests. Longer than proxies keep one (nginx 60 s
  /// to a server, 75 s to a client), because a request that meets the end of its connection is lost: a
  /// POST becomes a 502. When slots are short, resting connections end sooner (`evictionAgeMilliseconds`).
  public static var idleTimeoutMilliseconds: Int64 { 90_000 }

  /// Seconds that clients are told they may rest (`Keep-Alive: timeout`): the difference is for a request
  /// that is on its way.
  public static var keepAliveSeconds: Int { 85 }

  /// Octets a second that an upload brings at least, on average: less than any link that a panel is used
  /// over (GPRS has 2,500).
  public static var uploadRateMin: Int { 1_000 }

  /// Milliseconds that an upload may be behind that rate: for a start, and for pauses of a link.
  /// Then it has lasted too long. Beyond: 408.
  public static var uploadSlackMilliseconds: Int32 { 60_000 }

  /// Milliseconds without progress in sending a response.
  public static var sendTimeoutMilliseconds: Int64 { 10_000 }

  /// Milliseconds that a responder may take for an answer that needs several turns of the loop:
  /// hashing a password, and waiting for those before it. Beyond: 503.
  public static var workTimeoutMilliseconds: Int64 { 30_000 }

  /// Requests whose answer takes several turns, at a time: each may hold a password that is being
  /// hashed, of some 500 octets. Others wait.
  public static var workCountMax: Int { Int(MARTLET_WORK_COUNT) }

  /// Requests that wait for one of those to end, at a time: the last of them waits some twenty seconds
  /// at 300 ms each, or a minute in the line of a throttle. Beyond: 503 with Retry-After.
  public static var workQueueCountMax: Int { workCountMax * 8 }

  /// Milliseconds that a request may wait for that. Beyond: 503. Proxies give up after 60 s as a rule.
  public static var workQueueMilliseconds: Int64 { 58_000 }

  /// Milliseconds between two signs of life (100 Continue, RFC 9110 §15.2.1) to a client whose password
  /// is being hashed, which comes to its end however long it takes: below the 60 s of proxies.
  public static var workSignMilliseconds: Int64 { 45_000 }

  /// Microseconds that all of them together get in a turn of the loop: what somebody else's request
  /// may have to wait because of them.
  public static var workTurnMicroseconds: Int64 { 2_000 }

  /// Octets of earlier responses that the kernel may still have to send when the next request of a
  /// connection is answered: when it says that there is room. So there is room for the whole response,
  /// and a reader that does not read costs its slot and, as a rule, no response buffer.
  public static var unsentSizeMax: Int { Int(MARTLET_UNSENT_SIZE) / 2 - 1 }

  /// Response buffers that hold octets of requests, at a time: half of them, so that responses have the
  /// other half. Who does not get one is served all the same, but may have to wait for its own kernel.
  public static var stashCountMax: Int { max(1, responseBufferCountMax / 2) }

  /// How many of these at most when octets are taken before they have been seen: the others are for
  /// what has to be taken. Two, one, none. They may be held as long as the response before them lasts.
  public static var stashCountAtOnceMax: Int { stashCountMax / 2 }

  /// Clients that the kernel lets wait for a connection slot, at most; `net.core.somaxconn` may say fewer.
  public static var backlogCount: Int { Int(MARTLET_BACKLOG_COUNT) }

  /// Milliseconds after which a slow reader is looked at again where the kernel says that there is room
  /// and the count of what it has not sent says that there is none.
  public static var unreadPauseMilliseconds: Int64 { 20 }

  /// Octets of a file in one step, so that no file keeps other connections waiting.
  public static var fileStepSizeMax: Int { 262_144 }

  /// Milliseconds that a connection has rested, has been in the middle of a request, or has taken
  /// nothing of its responses, before its slot is given to a new one when all are taken. On a board of
  /// eight slots, four hundred clients that never go on are through in five seconds.
  public static var evictionAgeMilliseconds: Int64 { 50 }

  /// Milliseconds that more connections come than there are slots and places to wait for one, before those
  /// of the network that has most lose theirs. Some hundred that come at once are served in less on a board
  /// of 64 slots, and none of them is lost.
  public static var crowdMilliseconds: Int64 { 1_000 }

  /// Milliseconds without so many connections until the next of them are a new crowd.
  public static var crowdRestMilliseconds: Int64 { 10_000 }

  /// Milliseconds for what still arrives after the last response, read so that the peer gets to see
  /// that response (RFC 9112 §9.6).
  public static var lingerTimeoutMilliseconds: Int64 { 2_000 }

  /// Milliseconds that a stop waits for responses under way.
  public static var stopTimeoutMilliseconds: Int64 { 5_000 }

  // MARK: Sessions and logins

  /// Octets of an encoded `next`: where a visitor was going before the login. A longer one is
  /// forgotten, and the login leads to the first page.
  public static var nextSizeMax: Int { 3_072 }

  /// Octets of the path below which a proxy serves a program.
  public static var prefixSizeMax: Int { Int(MARTLET_PREFIX_SIZE) }

  /// Octets of a session's claims. Signed and encoded they are at most 2,812 octets, below the 4,096
  /// that a browser keeps of a cookie.
  public static var sessionSizeMax: Int { Int(MARTLET_SESSION_SIZE) }

  /// Octets of a token: the longest cookie value that a browser keeps.
  public static var tokenSizeMax: Int { 4_096 }

  /// Session tokens that are remembered once they have been verified: visitors at a time, roughly.
  /// Others are verified at each request.
  public static var rememberedTokenCountMax: Int { Int(MARTLET_TOKEN_COUNT) }

  /// Octets of a user identifier.
  public static var userIDSizeMax: Int { 64 }

  /// Octets of a password: more than any passphrase has, and few enough to be hashed at once where more
  /// than one SHA-256 block of 64 has to be. A letter beyond English takes two to four.
  public static var passwordSizeMax: Int { 1_024 }

  /// Days that a login may be remembered: browsers keep no cookie longer (RFC 6265bis §5.5).
  public static var rememberDaysMax: Int { 400 }

  /// Prefixes of trusted proxies: IPv4 and IPv6, each of a proxy and the one that stands in for it.
  public static var trustedProxyCountMax: Int { 4 }

  /// Client addresses that failed logins are remembered of, 16 octets each. Whoever has fewer is
  /// slowed at each of them; more than a household or a small office has.
  public static var failedAddressCountMax: Int { 64 }

  /// Names at an address that failed logins are remembered of, 16 octets each: as many as addresses.
  public static var failedLoginCountMax: Int { 64 }

  /// Names that failed logins are remembered of wherever they came from, 16 octets each: twice the
  /// accounts of a panel.
  public static var failedNameCountMax: Int { 16 }

  /// Octets of a text from outside in a log line; beyond, it is cut.
  public static var logTextSizeMax: Int { Int(MARTLET_LOG_TEXT_SIZE) }

  /// Lines of an event that are written to the log in a second; beyond, they are counted.
  public static var logRateMax: Int { Int(MARTLET_LOG_RATE) }

  /// Networks (IPv4 /24, IPv6 /56) that failed logins are remembered of, 16 octets each: a site has one.
  public static var failedNearNetworkCountMax: Int { 32 }

  /// Networks (IPv6 /48) that failed logins are remembered of, 16 octets each.
  public static var failedFarNetworkCountMax: Int { 16 }

  /// Levels of nested JSON. A session is flat; an application may put small values into it.
  public static var jsonDepthMax: Int { 32 }

  /// Checks the relations between the limits. Run once at start and by a test.
  public static func checkRelations() {
    invariant(
      receiveSizeMax >= requestHeadSizeMax + requestContentSizeMax,
      "a request of the largest head and content fits the receive buffer")
    invariant(requestTargetSizeMax < requestHeadSizeMax, "a target fits a head")
    invariant(receiveSizeMax >= responseHeadSizeMax, "a response head fits the receive buffer")
    invariant(receiveSizeMax <= 0xFFFF, "a ByteRange reaches all of a request")
    invariant(responseSizeMax <= 0xFFFF, "an offset reaches all of a response")
    invariant(
      responseSizeMax <= Int(MARTLET_UNSENT_SIZE),
      "the kernel takes a whole response")
    invariant(
      (unsentSizeMax + responseSizeMax) * 16 / 5 <= Int(MARTLET_SEND_BUFFER_SIZE),
      "a response fits the send buffer at any segment size")
    invariant(
      receiveSizeMax <= Int(MARTLET_RECEIVE_BUFFER_SIZE) / 2,
      "a request fits the window that the kernel offers")
    invariant(
      Int64(keepAliveSeconds) * 1_000 < idleTimeoutMilliseconds,
      "clients give a connection up before the server does")
    invariant(
      connectionCountMax * (connectionSlotSize + 8) <= 160 * 1_024,
      "a thousand connections cost less than five at other servers")
    invariant(
      responseHeadSizeMax >= responseFieldsSizeMax + 512,
      "the server's own fields fit beside the page's")
    // 36 octets of header, two full stops, 43 of signature, and the cookie's name and attributes.
    invariant(
      Base64URL.encodedCount(sessionSizeMax) + 36 + 2 + 43 <= tokenSizeMax,
      "a signed session fits a token")
    invariant(
      nextSizeMax + Base64URL.encodedCount(sessionSizeMax) + 81 + 1_500 <= responseFieldsSizeMax,
      "a location, a session and a remember cookie fit the page's fields")
    invariant(jsonDepthMax <= 32, "a level is one bit of a UInt32")
  }

  /// Octets of a JSON text that a page reads in place: a `ByteRange` reaches no further. Beyond: refused.
  public static var jsonSizeMax: Int { 0xFFFF }

  /// Decimals of a number: digits behind its point. 10 to the power of 18 is the largest in an Int64.
  public static var decimalCountMax: Int { 18 }
}
