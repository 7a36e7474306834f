/* Currencies of ISO 4217: their codes, and in how many decimals their money is counted. */
#ifndef LAPSE_CURRENCY_H
#define LAPSE_CURRENCY_H

#include <stddef.h>

/* The decimals of the currency's minor unit (JPY 0, EUR 2, KWD 3), -1 for a code that is none;
   upper-case. sql/parts/currency-decimals.sql says the same to the database. */
int currency_decimals(const char code[static 3]);

#endif
