#include "emulator/cbor_reader.h"

#include <vector>

#include <gtest/gtest.h>

namespace everyitem::emulator {
namespace {

std::string bytes(std::initializer_list<int> values) { return {values.begin(), values.end()}; }

/// {"a": 1, "b": [2, 3]}, with lengths and with breaks: RFC 8949, appendix A.
const std::string& with_lengths() {
  static const std::string document = bytes({0xa2, 0x61, 0x61, 0x01, 0x61, 0x62, 0x82, 0x02, 0x03});
  return document;
}
const std::string& with_breaks() {
  static const std::string document =
      bytes({0xbf, 0x61, 0x61, 0x01, 0x61, 0x62, 0x9f, 0x02, 0x03, 0xff, 0xff});
  return document;
}

/// As "a=1,b=[2,3,]," for that document.
std::string read_all(std::string_view document) {
  CborReader reader(document);
  std::string seen;
  reader.map([&](std::string_view name) {
    seen += name;
    if (reader.kind() == CborReader::Kind::array) {
      seen += "=[";
      reader.array([&] { seen += std::to_string(reader.unsigned_number()) + ","; });
      seen += "],";
    } else {
      seen += "=" + std::to_string(reader.unsigned_number()) + ",";
    }
  });
  reader.end();
  return seen;
}

void skip_all(std::string_view document) {
  CborReader reader(document);
  reader.skip();
  reader.end();
}

TEST(CborReader, NumbersOfEveryLength) {
  const auto number = [](const std::string& document) {
    CborReader reader(document);
    const std::uint64_t value = reader.unsigned_number();
    reader.end();
    return value;
  };
  EXPECT_EQ(number(bytes({0x17})), 23U);
  EXPECT_EQ(number(bytes({0x18, 0x64})), 100U);
  EXPECT_EQ(number(bytes({0x19, 0x03, 0xe8})), 1000U);
  EXPECT_EQ(number(bytes({0x1a, 0x00, 0x0f, 0x42, 0x40})), 1000000U);
  EXPECT_EQ(number(bytes({0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})),
            18446744073709551615U);
  EXPECT_EQ(number(bytes({0x1b, 0, 0, 0, 0, 0, 0, 0, 1})), 1U);  // longer than need be
}

TEST(CborReader, DefiniteAndIndefiniteContainers) {
  EXPECT_EQ(read_all(with_lengths()), "a=1,b=[2,3,],");
  EXPECT_EQ(read_all(with_breaks()), "a=1,b=[2,3,],");
}

TEST(CborReader, ReturnsViews) {
  const std::string document = bytes({0x82, 0x42, 0xff, 0x00, 0x62, 0xc3, 0xbc});
  CborReader reader(document);
  std::vector<std::string_view> seen;
  reader.array([&] { seen.push_back(seen.empty() ? reader.bytes() : reader.text()); });
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].data(), document.data() + 2);
  EXPECT_EQ(seen[0], bytes({0xff, 0x00}));
  EXPECT_EQ(seen[1].data(), document.data() + 5);
  EXPECT_EQ(seen[1], "ü");
}

TEST(CborReader, JoinsPiecesOfStrings) {
  // RFC 8949, appendix A: (_ h'0102', h'030405') and (_ "strea", "ming").
  const std::string data = bytes({0x5f, 0x42, 0x01, 0x02, 0x43, 0x03, 0x04, 0x05, 0xff});
  EXPECT_EQ(CborReader(data).bytes().size(), 5U);
  const std::string text = bytes({0x82, 0x7f, 0x65, 0x73, 0x74, 0x72, 0x65, 0x61, 0x64, 0x6d, 0x69,
                                  0x6e, 0x67, 0xff, 0x7f, 0xff});
  CborReader reader(text);
  std::vector<std::string_view> seen;
  reader.array([&] { seen.push_back(reader.text()); });
  EXPECT_EQ(seen, (std::vector<std::string_view>{"streaming", ""}));
}

TEST(CborReader, SkipsWellFormedItems) {
  skip_all(with_lengths());
  skip_all(with_breaks());
  skip_all(bytes({0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));  // -2^64
  skip_all(bytes({0xfb, 0x7e, 0x37, 0xe4, 0x3c, 0x88, 0x00, 0x75, 0x9c}));  // 1.0e+300
  skip_all(bytes({0x83, 0xf4, 0xf5, 0xf6}));                                // [false, true, null]
  skip_all(bytes({0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0}));                    // a date
  skip_all(bytes({0x9f, 0x01, 0x5f, 0x41, 0xff, 0xff, 0xbf, 0xff, 0x80, 0xff}));  // all empty
}

TEST(CborReader, RefusesCutDocument) {
  for (const std::string& document : {with_lengths(), with_breaks()}) {
    for (std::size_t size = 0; size < document.size(); ++size) {
      const std::string cut = document.substr(0, size);
      EXPECT_THROW(read_all(cut), CborError) << size;
      EXPECT_THROW(skip_all(cut), CborError) << size;
    }
    EXPECT_THROW(read_all(document + '\0'), CborError);
  }
}

TEST(CborReader, RefusesWhatIsMalformed) {
  const std::vector<std::string> documents = {
      bytes({0xff}),                    // a break of nothing
      bytes({0x81, 0xff}),              // within lengths
      bytes({0xbf, 0x61, 0x61, 0xff}),  // a name without its value
      bytes({0x1c}),                    // a reserved head
      bytes({0x1f}),                    // a number without end
      bytes({0xdf, 0x00}),              // a tag without end
      bytes({0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00}),  // longer than it is
      bytes({0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00}),
      bytes({0x5f, 0x61, 0x61, 0xff}),        // text within bytes
      bytes({0x5f, 0x5f, 0x41, 0x00, 0xff}),  // pieces of pieces
      bytes({0x62, 0xc3, 0x28}),              // no UTF-8
      std::string(100'000, '\x81'),           // deeper than a stack
  };
  for (const std::string& document : documents) {
    EXPECT_THROW(skip_all(document), CborError) << testing::PrintToString(document);
  }
}

TEST(CborReader, RefusesAnotherKind) {
  const std::string text = bytes({0x61, 0x61});
  EXPECT_THROW(CborReader(text).bytes(), CborError);
  EXPECT_THROW(CborReader(text).unsigned_number(), CborError);
  EXPECT_THROW(CborReader(text).null(), CborError);
  EXPECT_THROW(CborReader(text).array([] {}), CborError);
  EXPECT_THROW(CborReader(bytes({0xa1, 0x01, 0x01})).map([](std::string_view) {}), CborError);
}

}  // namespace
}  // namespace everyitem::emulator
