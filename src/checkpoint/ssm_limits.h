// Parameter Store's limits, each once, with its unit and source.
#pragma once

#include <chrono>
#include <cstddef>

namespace everyitem::checkpoint {

/// Bytes of a standard parameter's value (Systems Manager User Guide, "Managing parameter tiers").
inline constexpr std::size_t kMaxParameterBytes = 4096;

/// Characters of a parameter's name with its hierarchy (API reference, PutParameter, "Name": 1011,
/// which leaves room for the ARN).
inline constexpr std::size_t kMaxParameterNameCharacters = 1011;

/// Levels of a hierarchy (API reference, PutParameter).
inline constexpr std::size_t kMaxHierarchyLevels = 15;

/// The longest name that a checkpoint gives a parameter behind its prefix
/// (docs/checkpoint_format.md).
inline constexpr std::size_t kMaxOwnNameCharacters = 120;

/// Names that DeleteParameters takes (API reference, DeleteParameters).
inline constexpr std::size_t kMaxDeletedParameters = 10;

/// Parameters that GetParametersByPath answers at once (API reference, GetParametersByPath).
inline constexpr std::size_t kMaxParametersAPage = 10;

/// PutParameter takes 3 requests per second by default, of a whole account and region together (AWS
/// General Reference, "Systems Manager endpoints and quotas"): each segment is written this rarely.
inline constexpr std::chrono::seconds kParameterInterval{10};

}  // namespace everyitem::checkpoint
