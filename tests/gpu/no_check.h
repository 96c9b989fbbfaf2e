/* The unit tests' helpers in a program without libcheck's runner: a broken assumption of theirs ends
 * the program. To be included before them. */
#ifndef TESTS_GPU_NO_CHECK_H
#define TESTS_GPU_NO_CHECK_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#undef ck_abort_msg
#undef ck_assert
#undef ck_assert_msg
#undef ck_assert_int_eq
#undef ck_assert_int_ge
#undef ck_assert_uint_lt
#undef ck_assert_uint_le
#undef ck_assert_uint_eq
#define ck_abort_msg(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(2))
#define ck_assert_msg(ok, ...) ((ok) ? (void)0 : ck_abort_msg(__VA_ARGS__))
#define ck_assert(ok) ck_assert_msg(ok, "%s", #ok)
#define ck_assert_int_eq(a, b) ck_assert((a) == (b))
#define ck_assert_int_ge(a, b) ck_assert((a) >= (b))
#define ck_assert_uint_lt(a, b) ck_assert((a) < (b))
#define ck_assert_uint_le(a, b) ck_assert((a) <= (b))
#define ck_assert_uint_eq(a, b) ck_assert((a) == (b))

#endif
