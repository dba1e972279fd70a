// Fields of a conditional request, of a request for ranges, and of content negotiation.
//
//     input = size fields              size: an octet; fields: lines of a request, and FE n repeats (Octets.swift)

import MartletBytes
import MartletHTTP

private let tag = Octets("\"5.0-10\"")

@Sendable func fuzzConditions(_ input: Span<UInt8>) {
  guard input.count > 0 else { return }
  let size = Int64(input[0])
  let octets = expanded(input, from: 1)
  let now: Int64 = 1_800_000_000
  withExactCopy(octets) { octets in
    let fields = FieldSection(octets)
    let validators = Validators(tag: tag.span, lastModified: 784_111_777)
    let precondition = fields.precondition(.get, validators, now: now)
    check(
      (fields.precondition(.put, validators, now: now) == .failed) == (precondition == .failed)
        || precondition == .notModified,
      "an unsafe method fails where GET fails, or where GET has a current copy")
    checkRanges(fields.ranges(.get, size: size, validators, now: now), size)
    if case .whole = fields.ranges(.head, size: size, validators, now: now) {
    } else {
      check(false, "HEAD has no ranges")
    }
    let coding = fields.contentCoding(hasGzip: true, hasBrotli: false)
    check(coding != .brotli, "only a coding that there is is chosen")
    if fields.count(of: "Accept-Encoding") == 0 {
      check(coding == .identity, "without the field nothing is encoded")
    }
  }
  withExactCopy(octets) { octets in
    checkRanges(RequestedRanges.parse(octets, size: size), size)
    if let seconds = HTTPDate.parse(octets, now: now) {
      check((0...253_402_300_800).contains(seconds), "a date has four digits for its year")
      let text = written(capacity: 40) { $0.append(httpDate: seconds) } ?? []
      check(
        HTTPDate.parse(text.span, now: now) == min(seconds, 253_402_300_799),
        "a date that is written is parsed")
    }
    check(
      EntityTag.equals(octets, octets, .weak) || !EntityTag.equals(octets, octets, .strong),
      "strong is weak as well")
    if EntityTag.equals(octets, octets, .weak) {
      check(EntityTag.list(octets, contains: octets, .weak), "a list of one tag has the tag")
    }
    let type = MediaType.of(octets)
    check(
      type.count > 0 && type.firstControl() == nil && type.firstIndex(of: 0x2F) != nil,
      "a media type is a type")
  }
}

private func checkRanges(_ ranges: RequestedRanges, _ size: Int64) {
  guard case .ranges(let list) = ranges else { return }
  check(list.count > 0 && list.count <= Limits.rangeCountMax, "there are so many ranges at most")
  for i in 0..<list.count {
    let range = list[i]
    check(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= size, "a range lies within the file")
    for other in 0..<i {
      check(
        list[other].upperBound < range.lowerBound || range.upperBound < list[other].lowerBound,
        "ranges neither overlap nor touch")
    }
  }
}
