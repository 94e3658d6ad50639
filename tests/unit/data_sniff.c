/* data_sniff.c -- ugly tables: what is guessed from them, in one row each. */
#include "data/reader_test.h"

typedef struct Case {
    const char *csv;
    const char *form; /* delimiter, quote, header, decimal, skip */
    const char *names;
    const char *types;
    uint64_t rows;
} Case;

static const Case cases[] = {
    /* delimiters */
    {"a,b\n1,2\n3,4\n", ", \" yes . 0", "a b", "int64 int64", 2},
    {"a;b\n1;2\n3;4\n", "; \" yes . 0", "a b", "int64 int64", 2},
    {"a\tb\n1\t2\n3\t4\n", "\t \" yes . 0", "a b", "int64 int64", 2},
    {"a|b\n1|2\n3|4\n", "| \" yes . 0", "a b", "int64 int64", 2},
    {"a\n1\n2\n", ", \" yes . 0", "a", "int64", 2},
    {"a;b;c\n1,5;2,5;x\n2,25;3,75;y\n", "; \" yes , 0", "a b c", "float64 float64 text", 2},
    {"1,5;2,5\n2,5;3,5\n4,5;5,5\n", "; \" no , 0", "c1 c2", "float64 float64", 3},
    {"id,title\n1,a;b;c\n2,d;e\n3,f\n", ", \" yes . 0", "id title", "int64 text", 3},
    {"id,note\n1,\"a;b;c;d\"\n2,\"e;f;g;h\"\n", ", \" yes . 0", "id note", "int64 text", 2},
    {"a|b|c\n1|x, y|2\n2|z, w|3\n", "| \" yes . 0", "a b c", "int64 text int64", 2},
    {"t,x\n10:30:15,1\n11:30:15,2\n", ", \" yes . 0", "t x", "text int64", 2},
    {"when;x\n2015-01-02 10:30:00;1,25\n2015-01-02 11:30:00;2,50\n", "; \" yes , 0", "when x",
     "timestamp float64", 2},
    /* quotes */
    {"a,b\n\"x, y\",1\n\"z\"\"w\",2\n", ", \" yes . 0", "a b", "text int64", 2},
    {"\"a\",\"b\"\n\"1\",\"2\"\n\"3\",\"4\"\n", ", \" yes . 0", "a b", "int64 int64", 2},
    {"a,b\n'x, y','1'\n'z','2'\n'p','3'\n'q','4'\n", ", ' yes . 0", "a b", "text int64", 4},
    {"a,b\nit's,1\nthat's,2\n", ", \" yes . 0", "a b", "text int64", 2},
    {"a,b\n5\" pipe,1\n6\" pipe,2\n", ", \" yes . 0", "a b", "text int64", 2},
    {"a,b\n\"two\nlines\",1\n\"and\nthree\nmore\",2\n", ", \" yes . 0", "a b", "text int64", 2},
    /* headers */
    {"1,2\n3,4\n", ", \" no . 0", "c1 c2", "int64 int64", 2},
    {"x,1\ny,2\nx,3\n", ", \" no . 0", "c1 c2", "text int64", 3},
    {"a,b\nx,y\nz,w\n", ", \" yes . 0", "a b", "text text", 2},
    {"red,blue\nred,green\nblue,red\n", ", \" no . 0", "c1 c2", "text text", 3},
    {"city,2014,2015\nParis,1,2\nLyon,3,4\n", ", \" yes . 0", "city 2014 2015", "text int64 int64",
     2},
    {"2014,2015,2016\n1,2,3\n4,5,6\n", ", \" yes . 0", "2014 2015 2016", "int64 int64 int64", 2},
    {"2014,7,3\n2015,2,3\n", ", \" no . 0", "c1 c2 c3", "int64 int64 int64", 2},
    {"a,,c\n1,2,3\n", ", \" yes . 0", "a c2 c", "int64 int64 int64", 1},
    {"a,a,a\n1,2,3\n", ", \" yes . 0", "a a_2 a_3", "int64 int64 int64", 1},
    {" a , b \n 1 , 2 \n", ", \" yes . 0", "a b", "int64 int64", 1},
    {"a,b\n", ", \" yes . 0", "a b", "text text", 0},
    {"2015-01-01,1\n2015-01-02,2\n", ", \" no . 0", "c1 c2", "date int64", 2},
    /* lines before, ragged rows, ends */
    {"Report of sales\n\na,b\n1,2\n3,4\n", ", \" yes . 1", "a b", "int64 int64", 2},
    {"# one\n# two\na,b\n1,2\n3,4\n5,6\n", ", \" yes . 2", "a b", "int64 int64", 3},
    {"\n\n\na,b\n1,2\n", ", \" yes . 0", "a b", "int64 int64", 1},
    {"a,b,c\n1,2,3,\n4,5,6,\n", ", \" yes . 0", "a b c c4", "int64 int64 int64 text", 2},
    {"x y\n\"r1\",1,2\n\"r2\",3,4\n", ", \" no . 1", "c1 c2 c3", "text int64 int64", 2},
    {"\"a\",\"b\"\n\"r1\",1,2\n\"r2\",3,4\n", ", \" yes . 0", "c1 a b", "text int64 int64", 2},
    {"a,b\r1,2\r3,4\r", ", \" yes . 0", "a b", "int64 int64", 2},
    {"a,b\r\n1,2\r\n3,4", ", \" yes . 0", "a b", "int64 int64", 2},
    /* types */
    {"z\n02139\n10001\n", ", \" yes . 0", "z", "text", 2},
    {"z\n0\n10\n", ", \" yes . 0", "z", "int64", 2},
    {"z\n1\n2.5\n", ", \" yes . 0", "z", "float64", 2},
    {"z\n1e5\n-2E-3\n", ", \" yes . 0", "z", "float64", 2},
    {"z\n9223372036854775807\n1\n", ", \" yes . 0", "z", "int64", 2},
    {"z\n92233720368547758070\n1\n", ", \" yes . 0", "z", "text", 2},
    {"z\n9223372036854775808\n1\n", ", \" yes . 0", "z", "text", 2},
    {"z\n+4930123456\n+4930123457\n", ", \" yes . 0", "z", "text", 2},
    {"z\ntrue\nFalse\n", ", \" yes . 0", "z", "bool", 2},
    {"z\n1\n\n2\n", ", \" yes . 0", "z", "int64", 2},
    {"a,z\n1,\n2,\n", ", \" yes . 0", "a z", "int64 text", 2},
    {"z\n2015-01-02\n2015-02-30\n", ", \" yes . 0", "z", "text", 2},
    {"z\n2015-01-02\n2015-01-02 10:00\n", ", \" yes . 0", "z", "timestamp", 2},
    {"z\n2015-01-02T10:00:00Z\n2015-01-02T10:00:00+02:00\n", ", \" yes . 0", "z", "timestamp", 2},
    {"z\n31/01/2011\n01/02/2011\n", ", \" yes . 0", "z", "date", 2},
    {"z\n1/31/2011\n2/1/2011\n", ", \" yes . 0", "z", "date", 2},
    {"z\n1/31/2011 1:05 PM\n2/1/2011 12:00 AM\n", ", \" yes . 0", "z", "timestamp", 2},
    {"z\n10.1.2011\n11.1.2011\n", ", \" yes . 0", "z", "date", 2},
    {"z\n31/01/11\n01/02/98\n", ", \" yes . 0", "z", "date", 2},
    {"z\n1/31/11 10:00\n2/1/98 11:00\n", ", \" yes . 0", "z", "timestamp", 2},
    {"z\n12 Jan 2020\n3 March 2021\n", ", \" yes . 0", "z", "date", 2},
    {"z\n12-JAN-20\n03-MAR-21\n", ", \" yes . 0", "z", "date", 2},
    {"z,y\n\"January 12, 2020\",1\n\"May 3, 2021 10:30\",2\n", ", \" yes . 0", "z y",
     "timestamp int64", 2},
    {"z\n2020-Jan-12\n2021-Feb-29\n", ", \" yes . 0", "z", "text", 2},
    {"z\n10.2.11\n10.3.12\n", ", \" yes . 0", "z", "text", 2},
    {"z\nmay\njune\n", ", \" yes . 0", "z", "text", 2},
    {"z\nyes\nNo\n", ", \" yes . 0", "z", "bool", 2},
    {"z,y\nT,1\nF,2\n", ", \" yes . 0", "z y", "bool int64", 2},
    {"z,y\nY,1\nN,2\n", ", \" yes . 0", "z y", "text int64", 2},
    {"z,y\nF,1\nF,2\n", ", \" yes . 0", "z y", "text int64", 2},
    {"z,y\nT,1\nno,2\n", ", \" yes . 0", "z y", "text int64", 2},
    {"z,y\nF,1\nS,2\nT,3\n", ", \" yes . 0", "z y", "text int64", 3},
    {"no,name\nx,a\ny,b\nz,c\n", ", \" yes . 0", "no name", "text text", 3},
    {"yes,1\nno,2\nyes,3\n", ", \" no . 0", "c1 c2", "bool int64", 3},
    {"z\n1.2.3\n1.2.4\n", ", \" yes . 0", "z", "text", 2},
    {"z\n192.168.1.1\n10.0.0.1\n", ", \" yes . 0", "z", "text", 2},
    {"z\n12:30\n13:45\n", ", \" yes . 0", "z", "text", 2},
    {"z\n0x10\n0x20\n", ", \" yes . 0", "z", "text", 2},
    {"z,y\n\"$1,234.50\",1\n$5,2\n-$0.5,3\n", ", \" yes . 0", "z y", "float64 int64", 3},
    {"z,y\n\"1,234\",1\n\"12,345\",2\n", ", \" yes . 0", "z y", "float64 int64", 2},
    {"z;y\n1.234,50 \xe2\x82\xac;1,5\n5,00 \xe2\x82\xac;2,5\n", "; \" yes , 0", "z y",
     "float64 float64", 2},
    {"z,y\n45%,1\n5.5%,2\n", ", \" yes . 0", "z y", "float64 int64", 2},
    {"z,y\n\"12,34\",1\n\"1,2,3\",2\n", ", \" yes . 0", "z y", "text int64", 2},
    {"z,y\n\"1,5\",1\n\"2,25\",2\n", ", \" yes , 0", "z y", "float64 int64", 2},
    {"z\nInfinity\n1.5\n", ", \" yes . 0", "z", "float64", 2},
    /* words for missing */
    {"a,b\n1,x\n?,y\n3,z\n", ", \" yes . 0", "a b", "int64 text", 3},
    {"a,b\n1,x\n-,y\n3,z\n", ", \" yes . 0", "a b", "int64 text", 3},
    {"a\nNone\n1.5\nnan\n", ", \" yes . 0", "a", "float64", 3},
    {"a\n2015-01-01\nn/a\n", ", \" yes . 0", "a", "date", 2},
};

static const char *field(const Table *t, const char *name)
{
    const char *s = json_string_value(json_object_get(t->sniffed, name));
    return s ? s : "?";
}

static void ugly_tables(void **state)
{
    IngestOptions o = {.skip = -1, .reject_limit = 1};
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Case *c = &cases[i];
        Table t;
        read_text(*state, &t, c->csv, &o);
        Text form = {0}, names = {0};
        text_printf(&form, "%s %s %s %s %d", field(&t, "delimiter"), field(&t, "quote"),
                    field(&t, "header"), field(&t, "decimal"),
                    (int)json_integer_value(json_object_get(t.sniffed, "skip")));
        for (size_t k = 0; k < t.schema.count; k++)
            text_printf(&names, "%s%s", k ? " " : "", t.schema.field[k].name);
        if (!text_equal(form.at, c->form) || !text_equal(text_str(&names), c->names) ||
            !text_equal(types_of(&t), c->types) || t.rows != c->rows) {
            print_error("%s  form  %s\n  names %s\n  types %s\n  rows  %d\n", c->csv, form.at,
                        text_str(&names), types_of(&t), (int)t.rows);
            wrong++;
        }
        text_release(&form);
        text_release(&names);
        table_release(&t);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ugly_tables)};
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
