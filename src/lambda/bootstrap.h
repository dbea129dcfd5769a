// The door for Lambda: this program as the `bootstrap` of a custom runtime.
#pragma once

namespace everyitem::lambda {

/// Whether Lambda started this process: it is called bootstrap, or AWS_LAMBDA_RUNTIME_API is set
/// and no argument is given.
bool is_started_by_lambda(int argc, char** argv);

/// Serves invocations until the sandbox ends. Returns the process's exit code once the Runtime API
/// cannot be used any more. If a round was left unfinished, the program starts again in this
/// process.
int run_bootstrap(char** argv);

}  // namespace everyitem::lambda
