// For tests: keys such as `aws login` stores. They open nothing.
#pragma once

namespace everyitem {

inline constexpr const char* kLoginKey =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIEoCXp7s6quFkjfR0PKmWfJ1FreSQlpHKCKsFIiDlK/coAoGCCqGSM49\n"
    "AwEHoUQDQgAEnCN0Nk7JLeMBtIpIvWz5Wr8MHPsQTkPX+nZUEZMIvTldUDLmTFFy\n"
    "0MXFcXdk+Sp/qLKIeMt0pQHOnOG6cG7r0Q==\n"
    "-----END EC PRIVATE KEY-----\n";

inline constexpr const char* kLoginKeyInPkcs8 =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwczRHDh7EZFSZYvx\n"
    "A7RnvHMygg7LcsWgLEpZgIS8jM2hRANCAASjf1vOb4J8lnkXxrPvedGoUyH1d9qH\n"
    "D7DnN5sXH3GgBq51ZJsJBOKWTXz53lIPOqbMHZDpOz3hfg5X0SqZbgLR\n"
    "-----END PRIVATE KEY-----\n";

/// Of another curve, P-384.
inline constexpr const char* kLoginKeyOfAnotherCurve =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIGkAgEBBDBdO1RAOeDnG1NLOB+4z0rFVRtrZHiSfBNX5U9R+8BSgoug/6jBrbqG\n"
    "GpxezEC/IJGgBwYFK4EEACKhZANiAAQaZXGDXkzojXMgkG8JbUzr/IIcQnvwa4o8\n"
    "CKo8Ple3fZyJ0MMIMbuC2aptCuh30Prtf90jbnYKN77Khd1SIWsPao2s6OdOPwNs\n"
    "WOtKuE0jncBYyxAnT1uGBL49uOhwAlk=\n"
    "-----END EC PRIVATE KEY-----\n";

}  // namespace everyitem
