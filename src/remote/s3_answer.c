/* s3_answer.c -- what S3 answers: lists and words in XML, and refusals as one line for people. */
#include "remote_int.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 32

/* ---- XML ----------------------------------------------------------------------------------------------- */

typedef struct Reading {
    XML_Parser parser;
    int depth;
    Text text; /* of the element being read */
    bool failed;
    /* a list */
    Arena *arena;
    S3Objects *into;
    S3Page *page;
    RemoteObject object;
    char *key;
    bool inside, url_encoded;
    /* uploads */
    S3Uploads *uploads;
    S3Upload upload;
    /* a word */
    const char *wanted;
    Text *word;
    bool found;
} Reading;

static void on_text(void *context, const char *s, int n)
{
    text_add(&((Reading *)context)->text, s, (size_t)n);
}

static void on_begin(void *context, const char *name, const char **attributes)
{
    (void)attributes;
    Reading *r = context;
    text_reset(&r->text);
    if (++r->depth > DEPTH_MOST)
        r->failed = true, XML_StopParser(r->parser, XML_FALSE);
    if (text_equal(name, r->uploads ? "Upload" : "Contents")) {
        r->inside = true;
        r->object = (RemoteObject){0};
        r->upload = (S3Upload){0};
        r->key = NULL;
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void url_decode(char *s)
{
    char *to = s;
    for (; *s; s++) {
        int high = *s == '%' ? hex_digit(s[1]) : -1, low = high < 0 ? -1 : hex_digit(s[2]);
        if (low >= 0)
            *to++ = (char)(high * 16 + low), s += 2;
        else
            *to++ = *s == '+' ? ' ' : *s;
    }
    *to = 0;
}

static void end_object(Reading *r)
{
    r->inside = false;
    if (!r->key)
        return;
    r->object.key = r->key;
    vec_add(&r->into->at, r->object);
}

static void on_list_end(void *context, const char *name)
{
    Reading *r = context;
    const char *text = text_str(&r->text);
    r->depth--;
    if (text_equal(name, "Contents"))
        end_object(r);
    else if (r->inside && text_equal(name, "Key"))
        r->key = arena_text(r->arena, text);
    else if (r->inside && text_equal(name, "Size"))
        r->object.size = strtoull(text, NULL, 10);
    else if (r->inside && text_equal(name, "ETag"))
        snprintf(r->object.tag, sizeof r->object.tag, "%s", text);
    else if (text_equal(name, "IsTruncated"))
        r->page->more = text_equal(text, "true");
    else if (text_equal(name, "NextContinuationToken"))
        text_reset(&r->page->token), text_puts(&r->page->token, text);
    else if (text_equal(name, "EncodingType"))
        r->url_encoded = text_equal(text, "url");
    text_reset(&r->text);
}

static void on_upload_end(void *context, const char *name)
{
    Reading *r = context;
    const char *text = text_str(&r->text);
    r->depth--;
    if (text_equal(name, "Upload")) {
        r->inside = false;
        if (r->upload.key && r->upload.id)
            vec_add(&r->uploads->at, r->upload);
    } else if (r->inside && text_equal(name, "Key"))
        r->upload.key = arena_text(r->arena, text);
    else if (r->inside && text_equal(name, "UploadId"))
        r->upload.id = arena_text(r->arena, text);
    else if (r->inside && text_equal(name, "Initiated")) {
        if (!time_parse(text, r->text.count, &r->upload.begun))
            r->upload.begun = 0;
    } else if (text_equal(name, "EncodingType"))
        r->url_encoded = text_equal(text, "url");
    text_reset(&r->text);
}

static void on_word_end(void *context, const char *name)
{
    Reading *r = context;
    r->depth--;
    if (!r->found && text_equal(name, r->wanted)) {
        text_reset(r->word);
        text_puts(r->word, text_str(&r->text));
        r->found = true;
    }
    text_reset(&r->text);
}

static bool parse(Reading *r, const Text *xml, XML_EndElementHandler on_end)
{
    r->parser = XML_ParserCreate(NULL);
    if (!r->parser)
        return false;
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_begin, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    bool ok =
        XML_Parse(r->parser, text_str(xml), (int)xml->count, 1) == XML_STATUS_OK && !r->failed;
    XML_ParserFree(r->parser);
    text_release(&r->text);
    return ok;
}

bool s3_read_page(const Text *xml, Arena *a, S3Objects *into, S3Page *page)
{
    size_t first = into->at.count;
    Reading r = {.arena = a, .into = into, .page = page};
    page->more = false;
    text_reset(&page->token);
    bool ok = parse(&r, xml, on_list_end);
    for (size_t i = first; ok && r.url_encoded && i < into->at.count; i++)
        url_decode((char *)(uintptr_t)into->at.at[i].key);
    return ok && (!page->more || page->token.count);
}

bool s3_read_uploads(const Text *xml, Arena *a, S3Uploads *into)
{
    Reading r = {.arena = a, .uploads = into};
    bool ok = parse(&r, xml, on_upload_end);
    for (size_t i = 0; ok && r.url_encoded && i < into->at.count; i++)
        url_decode(into->at.at[i].key);
    return ok;
}

bool s3_read_word(const Text *xml, const char *element, Text *into)
{
    Reading r = {.wanted = element, .word = into};
    parse(&r, xml, on_word_end);
    return r.found;
}

/* ---- refusals -------------------------------------------------------------------------------------------- */

static const struct {
    const char *code, *says;
} refusals[] = {
    {"NoSuchBucket", "no such bucket; check its name, the region and AWS_ENDPOINT_URL"},
    {"NoSuchKey", "no such object; check the key (a prefix ends with a slash)"},
    {"InvalidAccessKeyId", "the server does not know the access key"},
    {"SignatureDoesNotMatch", "the secret key is not the right one for the access key"},
    {"InvalidToken", "the session token is not valid"},
    {"InvalidSecurity", "the credentials are not valid"},
    {"ExpiredToken", "the session token has expired; get new credentials"},
    {"RequestTimeTooSkewed", "this machine's clock is wrong; set it"},
    {"PreconditionFailed", "changed on the server while it was read; try again"},
    {"EntityTooLarge", "too large for the server; send it in smaller parts"},
    {"InvalidBucketName", "no name a bucket can have"},
    {"XAmzContentSHA256Mismatch",
     "arrived otherwise than it was sent; did the file change? try again"},
    {"BadDigest", "arrived otherwise than it was sent; try again"},
    {"QuotaExceeded", "no room left there"},
    {"XMinioStorageFull", "no room left there"},
    {"InvalidObjectState", "archived there (a colder class of storage); restore it first"},
};

static const char *said(const char *code)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (text_equal(refusals[i].code, code))
            return refusals[i].says;
    return NULL;
}

/* Who was refused: what to check, never the keys themselves. */
static void add_who(const S3 *s, Text *into)
{
    if (s->setup.access)
        text_printf(into, " (credentials of %s)", s->setup.from);
    else
        text_puts(into,
                  " (asked without credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                  "or AWS_PROFILE)");
}

static bool about_credentials(const char *code, long status)
{
    static const char *const codes[] = {"InvalidAccessKeyId", "SignatureDoesNotMatch",
                                        "InvalidToken",       "InvalidSecurity",
                                        "ExpiredToken",       "AccessDenied"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (text_equal(codes[i], code))
            return true;
    return !*code && (status == 401 || status == 403);
}

bool s3_refused(const S3 *s, const char *key, long status, const Text *answer, Error *err)
{
    Text code = {0}, message = {0}, line = {0};
    s3_read_word(answer, "Code", &code);
    s3_read_word(answer, "Message", &message);
    const char *known = said(text_str(&code));
    text_printf(&line, "s3://%s/%.200s: ", s->bucket, key);
    if (known)
        text_puts(&line, known);
    else if (status == 401 || status == 403)
        text_puts(&line, "no permission");
    else if (status == 404)
        text_puts(&line, *key ? "no such object or bucket" : "no such bucket; check its name");
    else if (status == 412 && *key)
        text_puts(&line, said("PreconditionFailed"));
    else if (status == 301 || status == 307)
        text_puts(&line, "the bucket is in another region; set AWS_REGION");
    else
        text_printf(&line, "the server answered %ld%s%.60s%s%.120s", status, code.count ? " " : "",
                    text_str(&code), message.count ? ": " : "", text_str(&message));
    if (about_credentials(text_str(&code), status))
        add_who(s, &line);
    for (size_t i = 0; i < line.count; i++)
        if ((unsigned char)line.at[i] < ' ')
            line.at[i] = ' ';
    error_set(err, ERROR_IO, "%s", line.at);
    text_release(&code), text_release(&message), text_release(&line);
    return false;
}

bool s3_refused_call(const S3 *s, const S3Call *c, Error *err)
{
    return s3_refused(s, c->key, c->status, &c->answer, err);
}
