/* Currencies: see currency.h. Those in use, as ISO 4217 lists them; funds and metals are none. */
#include "currency.h"

#include <string.h>

#include "util.h"

#include "ban.h"

static const char two[] = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL "
                          "BSD BTN BWP BYN BZD CAD "
                          "CDF CHF CNY COP CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP "
                          "GBP GEL GHS GIP GMD GTQ "
                          "GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK "
                          "LBP LKR LRD LSL MAD MDL "
                          "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD "
                          "PAB PEN PGK PHP PKR PLN "
                          "QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC "
                          "SYP SZL THB TJS TMT TOP "
                          "TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL";
static const char none[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
static const char three[] = "BHD IQD JOD KWD LYD OMR TND";

static bool lists(const char *codes, size_t size, const char *code)
{
    for (size_t i = 0; i + 3 < size; i += 4)
        if (memcmp(codes + i, code, 3) == 0)
            return true;
    return false;
}

int currency_decimals(const char code[static 3])
{
    if (lists(two, sizeof two, code))
        return 2;
    if (lists(none, sizeof none, code))
        return 0;
    return lists(three, sizeof three, code) ? 3 : -1;
}
