/* number.c -- numbers as people and files write them, the same in every locale.
 *
 * text_to_real is correctly rounded in three steps, from the common to the rare:
 *   1. w up to 2^53 and a power of ten up to 10^22 are exact doubles, so one division or
 *      product rounds once (Clinger 1990);
 *   2. w below 2^64 and a power up to 10^27 fit 128-bit integers: divide or multiply exactly,
 *      keep whether anything was left over, round to even;
 *   3. what is longer or further out goes to strtod in the C locale. */
#include <lathe/base.h>

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* ---- parsing -------------------------------------------------------------------------------- */

/* Made once and only read afterwards: a locale whose decimal point is a point. */
static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void c_locale_make(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double slow_real(const char *s, size_t n)
{
    char near[128], *copy = n < sizeof near ? near : mem_alloc(n + 1);
    memcpy(copy, s, n);
    copy[n] = '\0';
    pthread_once(&c_locale_once, c_locale_make);
    double value = strtod_l(copy, NULL, c_locale);
    if (copy != near)
        mem_free(copy);
    return value;
}

/* high:low times 2^power, plus something smaller if sticky, rounded to the nearest even double.
 * The result must be normal, which it is for powers of ten up to 27. */
static double round_wide(unsigned __int128 x, int power, bool sticky)
{
    uint64_t high = (uint64_t)(x >> 64);
    int bits = high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)x);
    int drop = bits - 53;
    if (drop <= 0) /* only when nothing was left over */
        return ldexp((double)(uint64_t)x, power);
    uint64_t kept = (uint64_t)(x >> drop);
    unsigned __int128 rest = x & (((unsigned __int128)1 << drop) - 1);
    unsigned __int128 half = (unsigned __int128)1 << (drop - 1);
    if (rest > half || (rest == half && (sticky || (kept & 1))))
        kept++;
    return ldexp((double)kept, power + drop);
}

/* w * 10^exponent with w != 0 and |exponent| <= 27. */
static double exact_real(uint64_t w, int exponent)
{
    uint64_t five = 1;
    for (int i = exponent < 0 ? -exponent : exponent; i > 0; i--)
        five *= 5; /* 5^27 < 2^63 */
    if (exponent >= 0)
        return round_wide((unsigned __int128)w * five, exponent, false);
    int shift = 64 + __builtin_clzll(w); /* the quotient has at least 64 bits */
    unsigned __int128 top = (unsigned __int128)w << shift;
    unsigned __int128 quotient = top / five;
    return round_wide(quotient, exponent - shift, top != quotient * five);
}

static bool word_is(const char *s, size_t n, const char *word)
{
    size_t i = 0;
    for (; i < n && word[i]; i++)
        if ((s[i] | 0x20) != word[i])
            return false;
    return i == n && !word[i];
}

static bool special_real(const char *s, size_t n, bool minus, double *out)
{
    if (word_is(s, n, "nan"))
        *out = (double)NAN;
    else if (word_is(s, n, "inf") || word_is(s, n, "infinity"))
        *out = minus ? -(double)INFINITY : (double)INFINITY;
    else
        return false;
    return true;
}

/* Zeros of a number's digits that say nothing: those before the first other digit. */
static size_t leading_zeros(const char *s, const char *end)
{
    size_t n = 0;
    for (; s < end && (*s == '0' || *s == '.'); s++)
        n += *s == '0';
    return n;
}

bool text_to_real(const char *s, size_t n, double *out)
{
    const char *at = s, *end = s + n, *digits;
    bool minus = false;
    uint64_t w = 0;
    int exponent = 0; /* of w */
    size_t all = 0;
    if (at < end && (*at == '-' || *at == '+'))
        minus = *at++ == '-';
    digits = at;
    for (; at < end && (unsigned)(*at - '0') < 10; at++)
        w = w * 10 + (uint64_t)(*at - '0'); /* wraps after 19 digits; then w is not used */
    all = (size_t)(at - digits);
    if (at < end && *at == '.') {
        const char *point = ++at;
        for (; at < end && (unsigned)(*at - '0') < 10; at++)
            w = w * 10 + (uint64_t)(*at - '0');
        all += (size_t)(at - point);
        exponent = at - point > 100000 ? -100000 : -(int)(at - point);
    }
    if (all == 0)
        return special_real(digits, (size_t)(end - digits), minus, out);
    if (at < end && (*at | 0x20) == 'e') {
        bool down = false;
        int power = 0;
        if (++at < end && (*at == '-' || *at == '+'))
            down = *at++ == '-';
        if (at == end)
            return false;
        for (; at < end && (unsigned)(*at - '0') < 10; at++)
            if (power < 100000)
                power = power * 10 + (*at - '0');
        exponent += down ? -power : power;
    }
    if (at != end)
        return false;
    double value;
    if (all <= 19 || all - leading_zeros(digits, end) <= 19) {
        if (w == 0)
            value = 0.0;
        else if (w <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22)
            value = exponent < 0 ? (double)w / tens[-exponent] : (double)w * tens[exponent];
        else if (exponent >= -27 && exponent <= 27)
            value = exact_real(w, exponent);
        else
            value = slow_real(digits, (size_t)(end - digits));
    } else {
        value = slow_real(digits, (size_t)(end - digits));
    }
    *out = minus ? -value : value;
    return true;
}

bool text_to_int(const char *s, size_t n, int64_t *out)
{
    const char *at = s, *end = s + n;
    bool minus = false;
    uint64_t value = 0;
    if (at < end && (*at == '-' || *at == '+'))
        minus = *at++ == '-';
    if (at == end)
        return false;
    uint64_t most = minus ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (digit > 9 || value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = minus ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

/* ---- printing ------------------------------------------------------------------------------- */

/* snprintf writes the locale's decimal point, of one or more bytes: make it a point. */
static size_t print_real(char *into, size_t room, int digits, double value)
{
    size_t n = (size_t)snprintf(into, room, "%.*g", digits, value), kept = 0;
    bool in_point = false;
    for (size_t i = 0; i < n; i++) {
        bool plain = (into[i] >= '0' && into[i] <= '9') || strchr("+-e", into[i]);
        if (plain)
            into[kept++] = into[i];
        else if (!in_point)
            into[kept++] = '.';
        in_point = !plain;
    }
    into[kept] = '\0';
    return kept;
}

static void add_digits(Text *t, bool minus, uint64_t value, int decimals)
{
    char digits[32];
    size_t at = sizeof digits;
    int written = 0;
    do {
        if (written == decimals && decimals > 0)
            digits[--at] = '.';
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
        written++;
    } while (value > 0 || written <= decimals);
    if (minus)
        digits[--at] = '-';
    text_add(t, digits + at, sizeof digits - at);
}

void text_add_int(Text *t, int64_t value)
{
    add_digits(t, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 0);
}

/* Most numbers in files have few decimals: value = m / 10^k is exact to test (see step 1 above). */
static bool add_short(Text *t, double value)
{
    double size = fabs(value);
    if (size < 1e-4 || size >= 1e15)
        return false;
    for (int k = 0; k <= 12; k++) {
        double m = nearbyint(size * tens[k]);
        if (m > 0x1p53)
            return false;
        if (m / tens[k] == size) {
            add_digits(t, value < 0, (uint64_t)m, k);
            return true;
        }
    }
    return false;
}

/* m / 10^k as a double, correctly rounded, for m < 2^64 and k <= 27. */
static double over_ten(uint64_t m, int k)
{
    return m <= (uint64_t)1 << 53 && k <= 22 ? (double)m / tens[k] : exact_real(m, -k);
}

/* The 15, 16 or 17 digits that read back the same, for 1e-4 <= |value| < 1e15. With k decimals
 * they are value * 10^k = m 2^e 5^k 2^k: 53 and at most 49 bits, so exact before the one rounding. */
static bool add_long(Text *t, double value)
{
    double size = fabs(value);
    if (size < 1e-4 || size >= 1e15)
        return false;
    int e, before = 0; /* digits before the point; -1 means the first is the second after it */
    if (size >= 1.0)
        while (size >= tens[before])
            before++;
    else
        before = size >= 1e-1 ? 0 : size >= 1e-2 ? -1 : size >= 1e-3 ? -2 : -3;
    uint64_t m = (uint64_t)ldexp(frexp(size, &e), 53);
    e -= 53;
    for (int digits = 15; digits <= 17; digits++) {
        int k = digits - before;
        if (k < 0 || e + k >= 0)
            continue;
        unsigned __int128 x = m;
        for (int i = 0; i < k; i++)
            x *= 5;
        int drop = -(e + k);
        unsigned __int128 rest = x & (((unsigned __int128)1 << drop) - 1),
                          half = (unsigned __int128)1 << (drop - 1);
        uint64_t n = (uint64_t)(x >> drop);
        n += rest > half || (rest == half && (n & 1));
        if (over_ten(n, k) != size)
            continue;
        for (; k > 0 && n % 10 == 0; k--)
            n /= 10;
        add_digits(t, value < 0, n, k);
        return true;
    }
    return false;
}

void text_add_real(Text *t, double value)
{
    char into[64];
    if (isnan(value)) {
        text_puts(t, "nan");
    } else if (isinf(value)) {
        text_puts(t, value < 0 ? "-inf" : "inf");
    } else if (value == 0.0) {
        text_puts(t, signbit(value) ? "-0" : "0");
    } else if (!add_short(t, value) && !add_long(t, value)) {
        int least = fabs(value) < 2.3e-308 ? 1 : 15; /* subnormals have fewer digits */
        for (int digits = least; digits <= 17; digits++) {
            size_t n = print_real(into, sizeof into, digits, value);
            double back;
            if (digits == 17 || (text_to_real(into, n, &back) && back == value)) {
                text_add(t, into, n);
                return;
            }
        }
    }
}

/* One decimal below 10 (and in front of a unit), none above; never in the locale's way. */
static void add_rounded(Text *t, double value, bool decimal)
{
    double scaled = decimal ? nearbyint(value * 10.0) : nearbyint(value);
    add_digits(t, value < 0 && scaled != 0.0, (uint64_t)fabs(scaled), decimal ? 1 : 0);
}

static void add_grouped(Text *t, double value)
{
    Text plain = {0};
    add_digits(&plain, false, (uint64_t)fabs(value), 0);
    if (value < 0)
        text_putc(t, '-');
    for (size_t i = 0; i < plain.count; i++) {
        if (i > 0 && (plain.count - i) % 3 == 0)
            text_putc(t, ',');
        text_putc(t, plain.at[i]);
    }
    text_release(&plain);
}

void text_add_count(Text *t, double value)
{
    static const char *const units[] = {"M", "G", "T", "P", "E"};
    double size = fabs(value);
    if (!isfinite(value) || size >= 1e21) {
        text_add_real(t, value);
    } else if (size < 10 && value != nearbyint(value)) {
        add_rounded(t, value, true);
    } else if (nearbyint(size) < 1e6) {
        add_grouped(t, nearbyint(value));
    } else {
        size_t u = 0;
        double shown = size / 1e6;
        for (; shown >= 999.95 && u + 1 < sizeof units / sizeof *units; u++)
            shown /= 1e3;
        if (value < 0)
            text_putc(t, '-');
        add_rounded(t, shown, true);
        text_puts(t, units[u]);
    }
}

void text_add_bytes(Text *t, double bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB"};
    if (!isfinite(bytes) || fabs(bytes) >= 1e18) {
        text_add_real(t, bytes);
        text_puts(t, " B");
        return;
    }
    if (bytes < 0)
        text_putc(t, '-');
    double shown = fabs(bytes);
    if (nearbyint(shown) < 1000) {
        add_rounded(t, shown, false);
        text_puts(t, " B");
        return;
    }
    size_t u = 0;
    for (shown /= 1e3; shown >= 999.5 && u + 1 < sizeof units / sizeof *units; u++)
        shown /= 1e3;
    add_rounded(t, shown, shown < 99.95);
    text_printf(t, " %s", units[u]);
}

void text_add_seconds(Text *t, double seconds)
{
    if (!isfinite(seconds) || fabs(seconds) >= 1e15) {
        text_add_real(t, seconds);
        text_puts(t, " s");
        return;
    }
    if (seconds < 0)
        text_putc(t, '-');
    double size = fabs(seconds);
    uint64_t whole = (uint64_t)nearbyint(size);
    if (size == 0.0) {
        text_puts(t, "0 s");
    } else if (size < 0.9995e-3) {
        add_rounded(t, size * 1e6, false);
        text_puts(t, " us");
    } else if (size < 0.9995) {
        add_rounded(t, size * 1e3, size < 0.00995);
        text_puts(t, " ms");
    } else if (whole < 60) {
        add_rounded(t, size, size < 9.95 && size != nearbyint(size));
        text_puts(t, " s");
    } else if (whole < 3600) {
        text_printf(t, "%d m %02d s", (int)(whole / 60), (int)(whole % 60));
    } else if (whole < 86400) {
        text_printf(t, "%d h %02d m", (int)(whole / 3600), (int)(whole / 60 % 60));
    } else {
        text_printf(t, "%lld d %02d h", (long long)(whole / 86400), (int)(whole / 3600 % 24));
    }
}
