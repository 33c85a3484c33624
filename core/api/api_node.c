/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "api/lua_args.h"

int api_open_node(lua_State *L) {
    const Api *api = api_of(L);
    lua_newtable(L);
    set_field_str(L, "name", str_of(api->node_name));
    set_field_str(L, "version", str_of(CHATTY_VERSION));
    set_field_str(L, "home", str_of(api->home));
    if (api->trial != NULL) set_field_str(L, "trial", str_of(api->trial));
    set_field_integer(L, "worker", api->worker);
    set_field_integer(L, "workers", api->worker_count);
    set_field_integer(L, "generation", (lua_Integer)api->generation);
    lua_createtable(L, 0, (int)api->setting_count);
    for (size_t i = 0; i < api->setting_count; i++) {
        set_field_str(L, api->settings[i].name, str_of(api->settings[i].value));
    }
    lua_setfield(L, -2, "settings");
    return 1;
}
